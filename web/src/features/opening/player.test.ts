import { describe, expect, it, vi } from 'vitest'
import { Player } from './player'
import type { Timeline, Track } from './timeline'

const track = (file: string, kind: Track['kind'], start: number, end: number): Track => ({ file, identity: 'ann', kind, codec: 'VP8', start, spans: [[start, end]] })
const timeline: Timeline = {
  duration: 60, people: [{ identity: 'ann', name: 'Ann', there: [[0, 61]] }], speaking: [], moments: [], skips: [[20, 30]],
  tracks: [track('cam', 'camera', 2, 60), track('mic', 'sound', 0, 60)],
}

/** An element that plays at a pace of its own, as far as the player uses one. */
class Element extends EventTarget {
  currentTime = 0
  paused = true
  playbackRate = 1
  volume = 1
  readyState = 4
  seeking = false
  ended = false
  error: unknown = null
  duration = 60
  preservesPitch = false
  seeks = 0
  constructor(readonly pace: number) {
    super()
    let at = 0
    Object.defineProperty(this, 'currentTime', { get: () => at, set: (value: number) => { at = value; this.seeks++ } })
    this.pass = (seconds) => { if (!this.paused) at += seconds * this.playbackRate * this.pace }
  }
  pass: (seconds: number) => void
  play = () => {
    this.paused = false
    return Promise.resolve()
  }
  pause = () => { this.paused = true }
}

function playing() {
  let now = 0
  const player = new Player(timeline, new Map(), () => now)
  const cam = new Element(0.998)
  const mic = new Element(1.001)
  player.attach(cam as unknown as HTMLMediaElement, timeline.tracks[0] as Track)
  player.attach(mic as unknown as HTMLMediaElement, timeline.tracks[1] as Track)
  const pass = (seconds: number) => {
    for (let i = 0; i < Math.round(seconds * 10); i++) {
      now += 100
      for (const one of [cam, mic]) one.pass(0.1)
      player.tick()
    }
  }
  return { player, cam, mic, pass }
}

describe('what is played', () => {
  it('begins in its time and stays together', () => {
    const { player, cam, mic, pass } = playing()
    player.play()
    pass(1)
    expect([cam.paused, mic.paused]).toEqual([true, false])
    pass(14)
    expect(player.at.get()).toBeCloseTo(15)
    expect(Math.abs(cam.currentTime + 2 - 15)).toBeLessThan(0.04)
    expect(Math.abs(mic.currentTime - 15)).toBeLessThan(0.04)
    expect([cam.seeks, mic.seeks]).toEqual([0, 0])
  })
  it('goes where one wants, and over a pause', () => {
    const { player, cam, mic, pass } = playing()
    player.play()
    player.seek(18)
    pass(1)
    expect(cam.currentTime).toBeCloseTo(17, 1)
    pass(2)
    expect(player.at.get()).toBeGreaterThan(30)
    expect(Math.abs(mic.currentTime - player.at.get())).toBeLessThan(0.08)
    player.pause()
    player.seek(40)
    expect([cam.paused, mic.paused, cam.currentTime, mic.currentTime]).toEqual([true, true, 38, 40])
  })
  it('waits for what is not ready, but not for ever', () => {
    const { player, cam, mic, pass } = playing()
    player.seek(10)
    player.play()
    cam.readyState = 1
    pass(2)
    expect(player.at.get()).toBeLessThan(10.2)
    expect(mic.paused).toBe(true)
    cam.readyState = 4
    pass(2)
    expect(player.at.get()).toBeCloseTo(12, 0)
    cam.readyState = 1
    pass(8)
    expect(player.at.get()).toBeGreaterThan(15)
    expect(mic.paused).toBe(false)
  })
  it('has the speed and the loudness that one chose', () => {
    const { player, cam, mic, pass } = playing()
    player.setRate(2)
    player.setVolume('ann', 0.3)
    player.play()
    pass(5)
    expect(player.at.get()).toBeCloseTo(10, 1)
    expect([cam.volume, mic.volume]).toEqual([0.3, 0.3])
    expect(mic.playbackRate).toBeCloseTo(2, 0)
  })
  it('says what cannot be played, and goes on without', () => {
    const { player, cam, pass } = playing()
    player.play()
    pass(3)
    cam.error = { code: 4 }
    cam.dispatchEvent(new Event('error'))
    pass(2)
    expect(player.scene.get().failed).toEqual(['cam'])
    expect(player.at.get()).toBeCloseTo(5, 1)
  })
  it('ends at the end, and begins again from there', () => {
    const { player, mic, pass } = playing()
    player.seek(59)
    player.play()
    pass(2)
    expect([player.playing.get(), mic.paused, player.at.get()]).toEqual([false, true, 60])
    player.play()
    expect(player.at.get()).toBe(0)
  })
  it('leaves nothing behind', () => {
    vi.useFakeTimers()
    const { player, mic } = playing()
    const end = player.start()
    player.play()
    expect(mic.paused).toBe(false)
    end()
    expect([mic.paused, vi.getTimerCount()]).toEqual([true, 0])
    vi.useRealTimers()
  })
})
