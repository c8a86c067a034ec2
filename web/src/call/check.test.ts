import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DeviceCheck, type MediaSource } from './check'

class FakeTrack {
  onended: (() => void) | null = null
  stopped = false
  constructor(readonly id: string) {}
  stop() {
    this.stopped = true
  }
  getSettings() {
    return { deviceId: this.id }
  }
}
const stream = (track: FakeTrack) => ({ getTracks: () => [track] }) as unknown as MediaStream

function setUp(open: (constraints: MediaStreamConstraints) => Promise<MediaStream>) {
  let level: (level: number) => void = () => undefined
  const unheard = vi.fn()
  const asked = vi.fn(open)
  const source: MediaSource = { getUserMedia: asked, enumerateDevices: () => Promise.resolve([{ deviceId: 'a', kind: 'audioinput', label: 'Casque' }, { deviceId: '', kind: 'videoinput', label: '' }]) }
  const check = new DeviceCheck(source, (_, onLevel) => ((level = onLevel), unheard))
  return { check, asked, unheard, say: (value: number) => level(value) }
}

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

describe('the device check', () => {
  it('opens nothing by itself', () => {
    const { asked } = setUp(() => Promise.reject(new Error('no')))
    expect(asked).not.toHaveBeenCalled()
  })

  it('hears, then says so when nothing is heard for five seconds', async () => {
    const { check, say } = setUp(() => Promise.resolve(stream(new FakeTrack('a'))))
    await check.open('mic')
    expect(check.state.get()).toMatchObject({ mic: { is: 'on', deviceID: 'a' }, verdict: 'listening', mics: [{ id: 'a', label: 'Casque' }], cams: [] })
    say(0.5)
    expect(check.state.get()).toMatchObject({ verdict: 'heard', level: 0.5 })
    vi.advanceTimersByTime(4999)
    expect(check.state.get().verdict).toBe('heard')
    vi.advanceTimersByTime(1)
    expect(check.state.get().verdict).toBe('silent')
  })

  it.each([['NotAllowedError', 'refused'], ['NotReadableError', 'busy'], ['NotFoundError', 'none']])('tells %s as %s', async (name, why) => {
    const { check } = setUp(() => Promise.reject(new DOMException('', name)))
    await check.open('cam')
    expect(check.state.get().cam).toEqual({ is: 'failed', why })
  })

  it('takes any device when the kept one is gone', async () => {
    const { check } = setUp((constraints) => (JSON.stringify(constraints).includes('old') ? Promise.reject(new DOMException('', 'OverconstrainedError')) : Promise.resolve(stream(new FakeTrack('new')))))
    await check.open('cam', 'old')
    expect(check.state.get().cam).toMatchObject({ is: 'on', deviceID: 'new', instead: true })
    await check.open('cam', 'new')
    expect(check.state.get().cam).toMatchObject({ is: 'on', deviceID: 'new', instead: false })
  })

  it('lets go of what opens too late, and of everything at the end', async () => {
    const first = new FakeTrack('1')
    const second = new FakeTrack('2')
    let release: (value: MediaStream) => void = () => undefined
    const waiting = new Promise<MediaStream>((resolve) => (release = resolve))
    const opens = [() => waiting, () => Promise.resolve(stream(second))]
    const { check, unheard } = setUp(() => opens.shift()?.() ?? Promise.reject(new Error('no more')))
    const early = check.open('mic')
    await check.open('mic')
    release(stream(first))
    await early
    expect([first.stopped, second.stopped]).toEqual([true, false])
    check.dispose()
    expect(second.stopped).toBe(true)
    expect(unheard).toHaveBeenCalledOnce()
    expect(check.state.get().mic.is).toBe('off')
  })

  it('takes another for a device that is pulled out, and says when there is none', async () => {
    const [first, second] = [new FakeTrack('1'), new FakeTrack('2')]
    const tracks = [first, second]
    const { check, asked } = setUp(() => {
      const track = tracks.shift()
      return track ? Promise.resolve(stream(track)) : Promise.reject(new DOMException('', 'NotFoundError'))
    })
    await check.open('cam', '1')
    first.onended?.()
    await vi.advanceTimersByTimeAsync(0)
    expect(check.state.get().cam).toMatchObject({ is: 'on', deviceID: '2', instead: true })
    expect(JSON.stringify(asked.mock.lastCall)).not.toContain('deviceId')
    second.onended?.()
    await vi.advanceTimersByTimeAsync(0)
    expect(check.state.get().cam).toEqual({ is: 'failed', why: 'none' })
  })
})
