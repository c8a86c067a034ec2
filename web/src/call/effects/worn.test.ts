import { Track } from 'livekit-client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeTrack, setUp } from '../fake'
import { NoEffect } from './processors'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())
const settle = () => vi.advanceTimersByTimeAsync(0)

async function enter(...args: Parameters<typeof setUp>) {
  const one = setUp(...args)
  one.call.start()
  await settle()
  const me = one.room.localParticipant
  const track = (source: Track.Source) => me.getTrackPublication(source)?.track as FakeTrack | undefined
  return { ...one, me, cam: () => track(Track.Source.Camera), mic: () => track(Track.Source.Microphone), self: () => one.call.state.get().self }
}
const seen = { mic: false, cam: true }
const heard = { mic: true, cam: false }

describe('the blur of the own camera', () => {
  it('is on the picture before it is sent at all', async () => {
    const { me, effects } = await enter(seen, { blur: 'strong', data: 'low' })
    expect(me.setCameraEnabled).toHaveBeenCalledExactlyOnceWith(true, { resolution: expect.anything() as unknown, processor: { name: 'blur' } }, expect.anything())
    const [strength] = effects.blur.mock.lastCall ?? []
    expect(strength?.()).toBe('strong')
  })

  it('follows its strength without being put on anew, and comes off', async () => {
    const { cam, effects, preferences } = await enter(seen, { blur: 'light' })
    const change = async (blur: 'off' | 'light' | 'strong') => {
      preferences.update((now) => ({ ...now, blur }))
      await settle()
    }
    const [strength] = effects.blur.mock.lastCall ?? []
    await change('strong')
    expect(strength?.()).toBe('strong')
    expect(effects.blur).toHaveBeenCalledOnce()
    await change('off')
    expect(cam()?.stopProcessor).toHaveBeenCalledOnce()
    expect(strength?.(), 'the frames that are still on their way').toBe('strong')
  })

  it('is put on the open camera, which shows nothing meanwhile', async () => {
    const { cam, preferences } = await enter(seen)
    let done = () => {}
    cam()?.setProcessor.mockImplementation(() => new Promise((resolve) => (done = resolve)))
    preferences.update((now) => ({ ...now, blur: 'light' }))
    await settle()
    expect(cam()?.setProcessor).toHaveBeenCalledExactlyOnceWith({ name: 'blur' })
    expect(cam()?.mediaStreamTrack.enabled).toBe(false)
    done()
    await settle()
    expect(cam()?.mediaStreamTrack.enabled).toBe(true)
  })

  it('is put on a camera that was still opening when it was wished for', async () => {
    const { me, call, cam, preferences } = await enter({ mic: false, cam: false })
    const open = me.setCameraEnabled.getMockImplementation()
    let opened = () => {}
    me.setCameraEnabled.mockImplementationOnce(async (...args) => {
      await new Promise<void>((resolve) => (opened = resolve))
      return open?.(...args)
    })
    void call.setCam(true)
    await settle()
    preferences.update((now) => ({ ...now, blur: 'light' }))
    await settle()
    opened()
    await settle()
    expect(cam()?.setProcessor).toHaveBeenCalledExactlyOnceWith({ name: 'blur' })
  })

  it('takes a camera that is switched off away, so that it opens as it is wanted then', async () => {
    const { me, cam, preferences } = await enter(seen)
    Object.assign(me.getTrackPublication(Track.Source.Camera) ?? {}, { isMuted: true })
    preferences.update((now) => ({ ...now, blur: 'light' }))
    await settle()
    expect(cam()).toBeUndefined()
  })

  it.each(['slow', 'noblur'] as const)('that is given up (%s) takes the camera with it, and the wish', async (why) => {
    const { me, effects, preferences, self } = await enter(seen, { blur: 'light' })
    const [, gaveUp] = effects.blur.mock.lastCall ?? []
    gaveUp?.(why)
    await settle()
    expect(me.setCameraEnabled).toHaveBeenLastCalledWith(false, undefined, undefined)
    expect(preferences.get().blur).toBe('off')
    expect(self()).toMatchObject({ cam: 'off', problem: { kind: 'cam', why } })
  })

  it('that does not begin leaves the camera off', async () => {
    const { cam, preferences, self, call, me } = await enter({ mic: false, cam: false }, { blur: 'light' })
    me.setCameraEnabled.mockRejectedValueOnce(new NoEffect('noblur'))
    await call.setCam(true)
    await settle()
    expect(self()).toMatchObject({ cam: 'off', problem: { kind: 'cam', why: 'noblur' } })
    await call.setCam(true) // plain, by the person's own press
    await settle()
    expect(self()).toMatchObject({ cam: 'on', problem: null })
    cam()?.setProcessor.mockRejectedValueOnce(new Error('no canvas'))
    preferences.update((now) => ({ ...now, blur: 'strong' }))
    await settle()
    expect(self()).toMatchObject({ cam: 'off', problem: { kind: 'cam', why: 'noblur' } })
    expect(preferences.get().blur).toBe('off')
  })
})

describe('the noise reduction', () => {
  it('asks the browser for its own, unless none is wanted, and puts the strong one behind it', async () => {
    const { me, mic } = await enter(heard, { denoise: 'strong' })
    expect(me.setMicrophoneEnabled).toHaveBeenCalledExactlyOnceWith(true, { noiseSuppression: true })
    expect(mic()?.getProcessor()).toEqual({ name: 'denoise' })
    const off = await enter(heard, { denoise: 'off' })
    expect(off.me.setMicrophoneEnabled).toHaveBeenCalledExactlyOnceWith(true, { noiseSuppression: false })
    expect(off.mic()?.getProcessor()).toBeUndefined()
  })

  it('follows the choice', async () => {
    const { mic, preferences } = await enter(heard)
    expect(mic()?.getProcessor()).toBeUndefined()
    preferences.update((now) => ({ ...now, denoise: 'strong' }))
    await settle()
    expect(mic()?.getProcessor()).toEqual({ name: 'denoise' })
    preferences.update((now) => ({ ...now, denoise: 'browser' }))
    await settle()
    expect(mic()?.getProcessor()).toBeUndefined()
  })

  it('that fails leaves the microphone on, with a word', async () => {
    const { effects, self } = await enter(heard, { denoise: 'strong' })
    const [failed] = effects.denoise.mock.lastCall ?? []
    failed?.()
    expect(self()).toMatchObject({ mic: 'on', problem: { kind: 'mic', why: 'nostrong' } })
  })
})
