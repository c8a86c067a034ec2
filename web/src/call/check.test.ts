import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DeviceCheck, type CheckBlur, type MediaSource } from './check'
import type { EffectProblem } from './media'

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

  describe('with the background blurred', () => {
    const dressed = (name: string) => ({ stream: { name } as unknown as MediaStream, stop: vi.fn() })
    function blurring(wish: boolean) {
      const camera = new FakeTrack('cam')
      let changed = () => {}
      let give: (why: EffectProblem) => void = () => {}
      const put = vi.fn<CheckBlur['put']>((_, gaveUp) => ((give = gaveUp), Promise.resolve(dressed('blurred'))))
      const blur = { wished: () => wish, subscribe: (listener: () => void) => ((changed = listener), () => {}), put, unwish: vi.fn(() => want(false)) }
      const want = (on: boolean) => {
        wish = on
        changed()
      }
      const source: MediaSource = { getUserMedia: () => Promise.resolve(stream(camera)), enumerateDevices: () => Promise.resolve([]) }
      const check = new DeviceCheck(source, () => () => undefined, blur)
      const shown = () => {
        const { cam } = check.state.get()
        return cam.is === 'on' ? cam.stream : null
      }
      return { check, blur, put, want, shown, camera, giveUp: (why: EffectProblem) => give(why) }
    }

    it('shows no other picture, and follows the wish', async () => {
      const { check, put, want, shown, camera } = blurring(true)
      const pictures: unknown[] = []
      check.state.subscribe(() => pictures.push(shown()))
      await check.open('cam')
      expect(pictures.filter(Boolean).every((picture) => (picture as { name?: string }).name === 'blurred')).toBe(true)
      const first = await put.mock.results[0]?.value as ReturnType<typeof dressed>
      want(false)
      await vi.advanceTimersByTimeAsync(0)
      expect(first.stop).toHaveBeenCalledOnce()
      expect(shown()?.getTracks()).toEqual([camera])
      want(true)
      await vi.advanceTimersByTimeAsync(0)
      want(true) // another preference changed
      expect(put).toHaveBeenCalledTimes(2)
      check.close('cam')
      expect(camera.stopped).toBe(true)
      expect((await put.mock.results[1]?.value as ReturnType<typeof dressed>).stop).toHaveBeenCalledOnce()
    })

    it('says why it is none, and shows the picture as it is', async () => {
      const { check, put, blur, shown, camera, giveUp, want } = blurring(true)
      put.mockRejectedValueOnce(new Error('no model'))
      await check.open('cam')
      await vi.advanceTimersByTimeAsync(0)
      expect(check.state.get().noBlur).toBe('noblur')
      expect(shown()?.getTracks()).toEqual([camera])
      want(true)
      await vi.advanceTimersByTimeAsync(0)
      expect(check.state.get().noBlur).toBeNull()
      giveUp('slow')
      await vi.advanceTimersByTimeAsync(0)
      expect(check.state.get().noBlur).toBe('slow')
      expect(blur.unwish).toHaveBeenCalledTimes(2)
      expect(shown()?.getTracks()).toEqual([camera])
    })

    it('lets go of a blur that comes too late', async () => {
      const { check, put, want, shown, camera } = blurring(true)
      const late = dressed('late')
      let release: (value: typeof late) => void = () => {}
      put.mockImplementationOnce(() => new Promise((resolve) => (release = resolve)))
      const opening = check.open('cam')
      await vi.advanceTimersByTimeAsync(0)
      want(false)
      await vi.advanceTimersByTimeAsync(0)
      release(late)
      await opening
      expect(late.stop).toHaveBeenCalledOnce()
      expect(shown()?.getTracks()).toEqual([camera])
    })
  })
})
