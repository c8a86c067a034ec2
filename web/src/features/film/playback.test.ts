// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { Playback } from './playback'

describe('a playback', () => {
  let film: HTMLVideoElement
  let playback: Playback
  const asks = { play: vi.fn(() => Promise.resolve()), pause: vi.fn(), load: vi.fn() }
  const is = (name: string, value: unknown) => Object.defineProperty(film, name, { value, configurable: true, writable: true })
  const tell = (event: string) => film.dispatchEvent(new Event(event))

  beforeEach(() => {
    film = document.createElement('video')
    for (const [name, value] of Object.entries({ currentTime: 0, duration: Number.NaN, paused: true, ended: false, readyState: 4, error: null, muted: false, playbackRate: 1, textTracks: [{ mode: 'disabled' }] })) is(name, value)
    for (const [name, asked] of Object.entries(asks)) {
      asked.mockClear()
      is(name, asked)
    }
    playback = new Playback(12)
    playback.attach(film)
  })

  it('tells what the film does, and its length before the film knows it', () => {
    tell('loadstart')
    expect(playback.playing.get()).toMatchObject({ time: 0, length: 12, paused: true, broken: false, waiting: false })
    is('duration', 11.9)
    is('paused', false)
    is('currentTime', 3)
    is('readyState', 2)
    tell('waiting')
    expect(playback.playing.get()).toMatchObject({ time: 3, length: 11.9, paused: false, waiting: true })
    is('error', { code: 2 })
    tell('error')
    expect(playback.playing.get().broken).toBe(true)
  })

  it('plays and pauses, and plays again what has ended', () => {
    playback.toggle()
    is('paused', false)
    playback.toggle()
    is('ended', true)
    playback.toggle()
    expect([asks.play.mock.calls.length, asks.pause.mock.calls.length]).toEqual([2, 1])
  })

  it('shows captions until they are not wanted', () => {
    const [track] = film.textTracks
    expect(track?.mode).toBe('showing')
    playback.caption(false)
    expect([track?.mode, playback.playing.get().captions]).toEqual(['hidden', false])
  })

  it('goes on where it was cut off', () => {
    is('currentTime', 7)
    playback.again()
    expect(asks.load).toHaveBeenCalledOnce()
    is('currentTime', 0)
    tell('loadedmetadata')
    expect(film.currentTime).toBe(7)
  })

  it('follows nothing any more once it is let go', () => {
    playback.attach(film)()
    is('currentTime', 5)
    tell('timeupdate')
    playback.seek(9)
    expect([playback.playing.get().time, film.currentTime]).toEqual([0, 5])
  })
})
