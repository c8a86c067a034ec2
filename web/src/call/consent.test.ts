import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Problem, Store, type CallRecording } from '@/api'
import { problemFrom } from '@/api/http'
import type { CallCalls } from '@/api/call'
import { Consent } from './consent'
import { recordable, recordingTold } from './recording'
import { atFirst, type CallEvent, type CallState } from './state'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())
const settle = () => vi.advanceTimersByTimeAsync(0)

const told = (of: object) => JSON.stringify({ recordable: true, recording: of })
const first = { id: 'R1', state: 'asking', by: 'Anne', purpose: 'Compte rendu', policy: 'consent', keep_days: 90, post: 'Dakar' }

function setUp(host = false) {
  const state = new Store<CallState>({ ...atFirst, phase: { is: 'live', since: 0 } })
  const listeners = new Set<(event: CallEvent) => void>()
  const ask = vi.fn<CallCalls['recording']>()
  let server: CallRecording = { state: 'none' }
  ask.mockImplementation(() => Promise.resolve(server))
  const consent = new Consent({ state, onEvent: (listener) => (listeners.add(listener), () => listeners.delete(listener)) }, ask, host)
  return {
    ask, consent, state,
    says: (now: CallRecording) => (server = now),
    shows: (metadata: string) => state.update((before) => ({ ...before, recording: recordingTold(metadata, before.recording) })),
    phase: (is: 'live' | 'reconnecting' | 'over') => state.update((before) => ({ ...before, phase: is === 'live' ? { is, since: 0 } : is === 'over' ? { is, why: 'left' } : { is, since: 0, tries: 0, retryAt: null } })),
    tell: (event: CallEvent) => listeners.forEach((listener) => listener(event)),
    own: () => consent.state.get(),
  }
}

describe('what the server tells of a recording', () => {
  it('is read strictly, and the same words are the same object', () => {
    const read = recordingTold(told(first), null)
    expect(read).toEqual({ id: 'R1', state: 'asking', by: 'Anne', purpose: 'Compte rendu', watchable: false, keepDays: 90, post: 'Dakar' })
    expect(recordingTold(told({ ...first }), read)).toBe(read)
    expect(recordingTold(told({ ...first, watchable: true, state: 'paused' }), read)).toMatchObject({ watchable: true, state: 'paused' })
    for (const none of ['', '{', '[]', '{"recording":null}', '{"recording":{"state":"running"}}', '{"recording":{"id":7}}']) expect(recordingTold(none, read)).toBe(null)
    // What is not understood must not hide that something is recorded.
    expect(recordingTold(told({ id: 'R1', state: 'resumed anew', by: 7 }), null)).toMatchObject({ state: 'running', by: '' })
    expect([recordable(told(first)), recordable('{"recordable":"yes"}'), recordable(undefined)]).toEqual([true, false, false])
  })
})

describe('one’s own answer', () => {
  it('is asked of the server for each recording, and unknown until then', async () => {
    const { ask, consent, own, says, shows } = setUp()
    consent.begin()
    expect(ask).not.toHaveBeenCalled()
    says({ state: 'asking', id: 'R1' })
    shows(told(first))
    expect(own()).toMatchObject({ id: 'R1', answer: undefined })
    await settle()
    expect(own().answer).toBe(null)
    says({ state: 'asking', id: 'R1', answer: 'agreed' })
    await consent.answer('agree')
    expect(ask).toHaveBeenLastCalledWith('POST', '/answer', { recording: 'R1', answer: 'agree' })
    expect(own().answer).toBe('agreed')
    // A yes to one is none to the next.
    says({ state: 'asking', id: 'R2' })
    shows(told({ ...first, id: 'R2' }))
    expect(own().answer).toBe(undefined)
    await settle()
    expect(own().answer).toBe(null)
  })

  it('is looked at anew after a lost connection, and when another window has answered', async () => {
    const { ask, consent, own, says, shows, phase, tell } = setUp()
    consent.begin()
    says({ state: 'running', id: 'R1' })
    shows(told({ ...first, state: 'running' }))
    await settle()
    phase('reconnecting')
    says({ state: 'running', id: 'R1', answer: 'declined' })
    phase('live')
    await settle()
    expect(own().answer).toBe('declined')
    says({ state: 'running', id: 'R1', answer: 'agreed' })
    tell({ is: 'answered' })
    await settle()
    expect(own().answer).toBe('agreed')
    expect(ask).toHaveBeenCalledTimes(3)
  })

  it.each([['the network is away', new Problem('offline', 0, 'away')], ['a proxy has no server', problemFrom(502, undefined)], ['there were too many calls', new Problem('too-many', 429, 'slow down')], ['the call is not known yet', new Problem('conflict', 409, 'not in the call')], ['the answer breaks off', new TypeError('network error')]])('is asked for, however often it could not be looked whether it was given: %s', async (_, failure) => {
    const { ask, consent, own, shows } = setUp()
    consent.begin()
    ask.mockRejectedValue(failure)
    shows(told(first))
    await vi.advanceTimersByTimeAsync(10 * 60_000)
    expect(own().answer).toBe(undefined)
    // With growing pauses: not a hundred people at once, and soon enough for a question.
    expect(ask.mock.calls.length).toBeGreaterThan(40)
    expect(ask.mock.calls.length).toBeLessThan(90)
    ask.mockResolvedValue({ state: 'asking', id: 'R1' })
    await vi.advanceTimersByTimeAsync(15_000)
    expect(own().answer).toBe(null)
    const seen = ask.mock.calls.length
    await vi.advanceTimersByTimeAsync(10 * 60_000)
    expect(ask.mock.calls.length, 'what is known is not looked at').toBe(seen)
  })

  it('is looked at once more as soon as something changes, by one look at a time', async () => {
    const { ask, consent, own, says, shows, phase } = setUp()
    consent.begin()
    const open = new Set<AbortSignal>()
    ask.mockImplementation((_method, _path, _body, signal) => new Promise((_, reject) => {
      if (!signal) return
      open.add(signal)
      signal.addEventListener('abort', () => {
        open.delete(signal)
        reject(new Problem('offline', 0, 'aborted'))
      })
    }))
    shows(told(first))
    await settle()
    expect([ask.mock.calls.length, open.size]).toEqual([1, 1])
    shows(told({ ...first, state: 'running' }))
    await settle()
    expect([ask.mock.calls.length, open.size]).toEqual([2, 1])
    phase('reconnecting')
    phase('live')
    await settle()
    expect([ask.mock.calls.length, open.size]).toEqual([3, 1])
    // No answer at all is none, too.
    await vi.advanceTimersByTimeAsync(16_000)
    expect([ask.mock.calls.length, open.size]).toEqual([4, 1])
    says({ state: 'running', id: 'R1' })
    ask.mockImplementation(() => Promise.resolve({ state: 'running', id: 'R1' }))
    await vi.advanceTimersByTimeAsync(17_000)
    expect([own().answer, ask.mock.calls.length, open.size]).toEqual([null, 5, 0])
    // A state that changes while nothing is unknown is no reason to look.
    shows(told({ ...first, state: 'paused' }))
    await settle()
    expect(ask.mock.calls.length).toBe(5)
  })

  it('is not looked at while the call is away, nor once it is over', async () => {
    for (const end of ['over', 'gone'] as const) {
      const { ask, consent, own, shows, phase } = setUp()
      const stop = consent.begin()
      ask.mockRejectedValue(problemFrom(502, undefined))
      shows(told(first))
      await vi.advanceTimersByTimeAsync(20_000)
      phase('reconnecting')
      const before = ask.mock.calls.length
      await vi.advanceTimersByTimeAsync(60_000)
      expect(ask.mock.calls.length).toBe(before)
      phase('live')
      await settle()
      expect(ask.mock.calls.length, 'back: at once').toBe(before + 1)
      if (end === 'over') phase('over')
      else stop()
      const last = ask.mock.calls.length
      shows(told({ ...first, state: 'running' }))
      await vi.advanceTimersByTimeAsync(60_000)
      expect([ask.mock.calls.length, own().answer]).toEqual([last, undefined])
    }
  })

  it.each([401, 403, 404])('is not looked at again by itself where the server refuses for good: %i', async (status) => {
    const { ask, consent, shows, phase } = setUp()
    consent.begin()
    ask.mockRejectedValue(problemFrom(status, undefined))
    shows(told(first))
    await vi.advanceTimersByTimeAsync(10 * 60_000)
    expect(ask).toHaveBeenCalledTimes(1)
    phase('reconnecting')
    phase('live')
    await settle()
    expect(ask).toHaveBeenCalledTimes(2)
  })

  it('is looked at until the server knows of the recording, and as long as it asks to wait', async () => {
    const { ask, consent, own, says, shows } = setUp()
    consent.begin()
    shows(told(first))
    await vi.advanceTimersByTimeAsync(3_000)
    expect(own().answer).toBe(undefined)
    says({ state: 'asking', id: 'R1' })
    await vi.advanceTimersByTimeAsync(4_000)
    expect(own().answer).toBe(null)
    const before = ask.mock.calls.length
    ask.mockRejectedValueOnce(new Problem('unavailable', 503, 'later', {}, {}, 7))
    consent.load()
    await vi.advanceTimersByTimeAsync(6_900)
    expect(ask.mock.calls.length - before).toBe(1)
    await vi.advanceTimersByTimeAsync(200)
    expect(ask.mock.calls.length - before).toBe(2)
  })

  it('shows what is so when it was done and not stored, and tries a while when the server is away', async () => {
    const { ask, consent, own, shows } = setUp()
    const end = consent.begin()
    ask.mockRejectedValueOnce(new Problem('offline', 0, 'away')).mockResolvedValueOnce({ state: 'running', id: 'R1', answer: 'agreed' })
    shows(told({ ...first, state: 'running' }))
    await settle()
    expect(own().answer).toBe(undefined)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(own().answer).toBe('agreed')
    const refused = new Error('not stored')
    ask.mockRejectedValueOnce(refused).mockResolvedValueOnce({ state: 'running', id: 'R1', answer: 'withdrawn' })
    expect(await consent.answer('decline')).toBe(false)
    await settle()
    expect(own()).toMatchObject({ answer: 'withdrawn', busy: false, error: refused })
    // An answer that comes after another question is not believed.
    let late: (told: CallRecording) => void = () => undefined
    ask.mockReturnValueOnce(new Promise((resolve) => (late = resolve))).mockResolvedValueOnce({ state: 'running', id: 'R1', answer: 'agreed' })
    consent.load()
    await consent.answer('agree')
    late({ state: 'running', id: 'R1' })
    await settle()
    expect(own().answer).toBe('agreed')
    // What looks from time to time leaves an act alone that is under way.
    ask.mockReturnValueOnce(new Promise((resolve) => (late = resolve)))
    const acting = consent.answer('decline')
    const calls = ask.mock.calls.length
    consent.look()
    expect(ask.mock.calls.length).toBe(calls)
    late({ state: 'running', id: 'R1', answer: 'withdrawn' })
    await acting
    expect(own().answer).toBe('withdrawn')
    end()
    shows(told({ ...first, id: 'R9' }))
    expect(own().id).toBe('R1')
  })

  it('is followed, for hosts, by why it stopped that nobody stopped', async () => {
    for (const [host, because, ended] of [[true, 'quota', 'quota'], [true, 'host', null], [true, undefined, null], [false, 'quota', null]] as const) {
      const { ask, consent, own, says, shows, phase } = setUp(host)
      const end = consent.begin()
      says({ state: 'running', id: 'R1', answer: 'agreed' })
      shows(told({ ...first, state: 'running' }))
      await settle()
      const calls = ask.mock.calls.length
      says({ state: 'stopping', id: 'R1', ...(because ? { because } : {}) })
      shows('{}')
      await settle()
      expect([ask.mock.calls.length - calls, own().id, own().ended]).toEqual([host ? 1 : 0, null, ended])
      // Whoever was away meanwhile is told when they are back, and nobody twice.
      phase('reconnecting')
      phase('live')
      await settle()
      expect(own().ended).toBe(ended)
      consent.dismiss()
      phase('reconnecting')
      phase('live')
      await settle()
      expect(own().ended).toBe(null)
      end()
    }
  })
})
