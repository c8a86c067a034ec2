import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Problem, Store, type CallRecording } from '@/api'
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
  const ask = vi.fn<(method: string, path: string, body?: unknown) => Promise<CallRecording>>()
  let server: CallRecording = { state: 'none' }
  ask.mockImplementation(() => Promise.resolve(server))
  const consent = new Consent({ state, onEvent: (listener) => (listeners.add(listener), () => listeners.delete(listener)) }, ask, host)
  return {
    ask, consent, state,
    says: (now: CallRecording) => (server = now),
    shows: (metadata: string) => state.update((before) => ({ ...before, recording: recordingTold(metadata, before.recording) })),
    phase: (is: 'live' | 'reconnecting') => state.update((before) => ({ ...before, phase: is === 'live' ? { is, since: 0 } : { is, since: 0, tries: 0, retryAt: null } })),
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
