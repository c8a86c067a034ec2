import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RoomEvent } from 'livekit-client'
import { setUp } from './fake'
import { mostPins, readHabits, readPeople, View } from './view'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** Storage that may refuse. */
function shelf(refuses = false) {
  const kept = new Map<string, string>()
  const refuse = () => {
    throw new DOMException('full', 'QuotaExceededError')
  }
  return { kept, getItem: (key: string) => (refuses ? refuse() : (kept.get(key) ?? null)), setItem: (key: string, value: string) => (refuses ? refuse() : void kept.set(key, value)) }
}

async function inCall(...names: string[]) {
  const faked = setUp()
  faked.call.start()
  names.forEach((name, i) => faked.room.add(name, name.toUpperCase(), i))
  await vi.advanceTimersByTimeAsync(0)
  const keep = { browser: shelf(), tab: shelf() }
  return { ...faked, keep, view: new View(faked.call.state, keep) }
}

describe('how one looks on', () => {
  it('is kept over a reload: habits in this browser, people in this tab', async () => {
    const { view, keep, call } = await inCall('a', 'b')
    view.setLayout('speaker')
    view.setSelfView('small')
    view.setMirror(false)
    view.togglePin('b')
    view.setVolume('a', 0.3)
    view.toggleSilenced('b')
    const again = new View(call.state, keep)
    expect(again.state.get()).toMatchObject({ layout: 'speaker', selfView: 'small', mirror: false, pins: ['b'], volumes: { a: 0.3 }, silenced: ['b'] })
    expect([...keep.browser.kept.values()].join('')).not.toContain('"b"')
    expect(new View(call.state, { browser: keep.browser, tab: shelf() }).state.get()).toMatchObject({ layout: 'speaker', pins: [], volumes: {}, silenced: [] })
  })

  it('works where nothing can be kept', async () => {
    const { call } = await inCall('a')
    for (const keep of [{ browser: null, tab: null }, { browser: shelf(true), tab: shelf(true) }]) {
      const view = new View(call.state, keep)
      view.setLayout('grid')
      expect(view.state.get()).toMatchObject({ layout: 'grid', selfView: 'tile', mirror: true })
    }
  })

  it.each([null, 'x', 1, [], { layout: 'tower', selfView: 7, mirror: 'no', pins: 'a', volumes: { a: 'loud', b: 3, c: -1 }, silenced: [1, ''] }])('reads %j as nothing', (kept) => {
    expect(readHabits(kept)).toEqual({ layout: 'auto', selfView: 'tile', mirror: true })
    expect(readPeople(kept)).toEqual({ pins: [], volumes: {}, silenced: [] })
  })

  it('pins so many and no more: the oldest pin goes, and who has left takes no place', async () => {
    const { view, room } = await inCall('a', 'b', 'c', 'd')
    for (const name of ['a', 'b', 'c', 'd']) view.togglePin(name)
    expect(view.state.get().pins).toEqual(['b', 'c', 'd'])
    expect(mostPins).toBe(3)
    room.remoteParticipants.delete('c')
    room.emit(RoomEvent.ParticipantDisconnected, {})
    await vi.advanceTimersByTimeAsync(0)
    view.togglePin('a')
    expect(view.state.get().pins).toEqual(['b', 'd', 'a'])
    view.togglePin('d')
    expect(view.state.get().pins).toEqual(['b', 'a'])
  })

  it('keeps a volume between nothing and all, and forgets what is as it was', async () => {
    const { view } = await inCall('a')
    view.setVolume('a', -3)
    expect(view.state.get().volumes).toEqual({ a: 0 })
    view.setVolume('a', 7)
    expect(view.state.get().volumes).toEqual({})
  })

  it('knows the speaker by the clock alone, and stops when the call is over', async () => {
    const { call, room } = await inCall('a', 'b')
    const b = room.remoteParticipants.get('b')
    await b?.setMicrophoneEnabled(true)
    if (b) b.isSpeaking = true
    room.emit(RoomEvent.ActiveSpeakersChanged, [])
    await vi.advanceTimersByTimeAsync(1_499)
    expect(call.view.state.get().speaker).toBe('a')
    await vi.advanceTimersByTimeAsync(1)
    expect(call.view.state.get().speaker).toBe('b')
    call.leave()
    await vi.advanceTimersByTimeAsync(0)
    expect(vi.getTimerCount()).toBe(0)
  })
})
