import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MutedTalk } from './muted'

function setUp() {
  let level: (level: number) => void = () => undefined
  const stopListening = vi.fn()
  const close = vi.fn()
  const shown: boolean[] = []
  const talk = new MutedTalk(
    (_, onLevel) => {
      level = onLevel
      return stopListening
    },
    (talks) => {
      if (shown.at(-1) !== talks) shown.push(talks)
    },
    () => ({ stream: {} as MediaStream, close }),
  )
  const hear = (value: number, times: number) => {
    for (let i = 0; i < times; i++) level(value)
  }
  return { talk, hear, shown, stopListening, close, track: {} as MediaStreamTrack }
}

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

describe('talking while the microphone is off', () => {
  it('is noticed when it lasts, and not again at once', () => {
    const { talk, hear, shown, track } = setUp()
    talk.follow(track)
    hear(0.8, 9)
    hear(0.1, 1)
    hear(0.8, 9)
    expect(shown).toEqual([false])
    hear(0.8, 1)
    expect(shown).toEqual([false, true])
    vi.advanceTimersByTime(6_000)
    expect(shown).toEqual([false, true, false])
    hear(0.8, 20)
    expect(shown).toEqual([false, true, false])
    vi.advanceTimersByTime(30_000)
    hear(0.8, 1)
    expect(shown).toEqual([false, true, false, true])
  })

  it('is measured only while the microphone is off', () => {
    const { talk, hear, shown, stopListening, close, track } = setUp()
    talk.follow(null)
    talk.follow(track)
    talk.follow(track)
    expect(stopListening).not.toHaveBeenCalled()
    hear(0.8, 10)
    talk.follow(null)
    expect(stopListening).toHaveBeenCalledOnce()
    expect(close).toHaveBeenCalledOnce()
    expect(shown).toEqual([false, true, false])
  })
})
