import { Track } from 'livekit-client'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { setUp, type FakeTrack } from './fake'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

const seconds = (n: number) => vi.advanceTimersByTimeAsync(n * 1_000)

async function entered(chosen: Parameters<typeof setUp>[1] = {}) {
  const made = setUp({ mic: true, cam: true }, chosen)
  made.call.start()
  await seconds(0)
  const { localParticipant: local } = made.room
  const track = () => local.getTrackPublication(Track.Source.Camera)?.track as FakeTrack
  let packets = 0
  /** From now on this much is lost, and the encoder says why it is held back. */
  let timer: ReturnType<typeof setInterval> | undefined
  const path = (loss: number, limited: 'none' | 'bandwidth' | 'cpu', fps = 25) => {
    clearInterval(timer)
    let lost = 0
    const tell = () => {
      packets += 100
      lost += 100 * loss
      for (const source of [Track.Source.Camera, Track.Source.Microphone]) {
        const one = local.getTrackPublication(source)?.track as FakeTrack | undefined
        if (one) one.stats = [
          { id: source, type: 'outbound-rtp', kind: source === Track.Source.Camera ? 'video' : 'audio', packetsSent: packets, frameWidth: 1280, framesPerSecond: fps, qualityLimitationReason: limited },
          { id: `${source}/far`, type: 'remote-inbound-rtp', localId: source, packetsLost: lost, roundTripTime: 0.04 },
        ]
      }
    }
    tell()
    timer = setInterval(tell, 1_000)
  }
  const step = () => made.call.state.get().steppedDown
  return { ...made, local, track, path, step }
}

it('a narrow path gets fewer layers, and all again when it is wide', async () => {
  const { path, step, track } = await entered()
  path(0, 'none')
  await seconds(60)
  expect(step()).toBeNull()
  expect(track().layers).toEqual([true, true, true])
  path(0, 'bandwidth')
  await seconds(8)
  expect(step()).toEqual({ step: 'reduced', why: 'path', kept: false })
  expect(track().layers).toEqual([true, true, false])
  await seconds(16)
  expect(step()?.step).toBe('small')
  expect(track().layers).toEqual([true, false, false])
  path(0, 'none')
  await seconds(60)
  expect(step()).toBeNull()
  expect(track().layers).toEqual([true, true, true])
})

it('what the server asks for in between does not widen it, and what it no longer wants is not sent', async () => {
  const { path, step, track } = await entered()
  path(0, 'bandwidth')
  await seconds(20)
  expect(step()?.step).toBe('reduced')
  track().layers = [true, true, true]
  await seconds(2)
  expect(track().layers).toEqual([true, true, false])
  track().wanted = [true, false, false]
  track().layers = [true, false, false]
  path(0, 'none')
  await seconds(60)
  expect(step()).toBeNull()
  expect(track().layers).toEqual([true, false, false])
})

it('a server that has not said what it wants gets all', async () => {
  const { path, step, track } = await entered()
  path(0, 'bandwidth')
  await seconds(20)
  track().wanted = null
  path(0, 'none')
  await seconds(60)
  expect(step()).toBeNull()
  expect(track().layers).toEqual([true, true, true])
})

it('where hardly anything passes the picture goes and the sound stays; it comes back by itself', async () => {
  const { path, step, local, call } = await entered()
  path(0.3, 'bandwidth', 1)
  await seconds(40)
  expect(step()).toEqual({ step: 'off', why: 'path', kept: false })
  expect([local.isCameraEnabled, local.isMicrophoneEnabled]).toEqual([false, true])
  expect(call.state.get().self.cam).toBe('off')
  path(0, 'none')
  await seconds(120)
  expect(step()).toBeNull()
  expect(local.isCameraEnabled).toBe(true)
})

it('never opens a camera that the person has closed meanwhile', async () => {
  const { path, step, local, call } = await entered()
  path(0.3, 'bandwidth', 1)
  await seconds(40)
  expect(step()?.step).toBe('off')
  await call.setCam(false)
  local.setCameraEnabled.mockClear()
  path(0, 'none')
  await seconds(600)
  expect(step()).toBeNull()
  expect(local.setCameraEnabled.mock.calls.filter(([on]) => on)).toEqual([])
})

it.each(['the press on the camera', 'the press to keep it'])('%s brings a picture back, small, and it stays', async (by) => {
  const { path, step, local, call } = await entered()
  path(0.3, 'bandwidth', 1)
  await seconds(40)
  await (by === 'the press on the camera' ? call.toggleCam() : call.keepPicture())
  expect(local.isCameraEnabled).toBe(true)
  expect(step()).toEqual({ step: 'small', why: 'path', kept: true })
  await seconds(600)
  expect(step()?.step).toBe('small')
  expect(local.isCameraEnabled).toBe(true)
})

it('a camera that is closed and opened again at once is open', async () => {
  const { path, call, local } = await entered()
  path(0.3, 'bandwidth', 1)
  await seconds(40)
  await call.setCam(false)
  await call.setCam(true)
  expect(local.isCameraEnabled).toBe(true)
})

it('with little data the picture is small already, and with sound alone there is none to step down', async () => {
  const { path, step, preferences, local } = await entered({ data: 'low' })
  path(0, 'bandwidth')
  await seconds(120)
  expect(step()).toBeNull()
  path(0.3, 'bandwidth', 1)
  await seconds(40)
  expect(step()?.step).toBe('off')
  preferences.update((now) => ({ ...now, data: 'sound' }))
  await seconds(4)
  expect(step()).toBeNull()
  expect(local.isCameraEnabled).toBe(false)
})

it('a camera that a host has stopped stays closed', async () => {
  const { path, room, local } = await entered()
  path(0.3, 'bandwidth', 1)
  await seconds(40)
  room.say('aparte.moderated', { what: 'camera_stopped', by: 'Anne', rights: [] })
  await seconds(2)
  local.setCameraEnabled.mockClear()
  path(0, 'none')
  await seconds(600)
  expect(local.setCameraEnabled.mock.calls.filter(([on]) => on)).toEqual([])
})
