import { RoomEvent, Track } from 'livekit-client'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { setUp, type FakePublication, type FakeRoom } from './fake'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

async function seen(room: FakeRoom, identity: string): Promise<FakePublication> {
  const participant = room.remoteParticipants.get(identity) ?? room.add(identity, identity, 0)
  await participant.setCameraEnabled(true)
  const camera = participant.getTrackPublication(Track.Source.Camera) as FakePublication
  room.emit(RoomEvent.TrackSubscribed, camera.track, camera, participant)
  return camera
}

it('a pinned picture is asked for first, whenever it is asked for, until the pin is out', async () => {
  const { call, room } = setUp()
  call.start()
  await vi.advanceTimersByTimeAsync(0)
  const [anne, bruno] = [await seen(room, 'anne'), await seen(room, 'bruno')]
  const last = (camera: FakePublication) => camera.told.at(-1)?.priority
  call.view.togglePin('anne')
  expect([last(anne), last(bruno)]).toEqual([1, undefined])
  for (const camera of [anne, bruno]) camera.emitTrackUpdate() // as when a window changes its size
  expect([last(anne), last(bruno)]).toEqual([1, 0])
  room.emit(RoomEvent.TrackSubscribed, anne.track, anne, room.remoteParticipants.get('anne'))
  expect(anne.told).toHaveLength(2)
  const again = await seen(room, 'anne') // the camera off and on: another track of the same person
  again.emitTrackUpdate()
  expect(last(again)).toBe(1)
  call.view.togglePin('anne')
  expect(last(again)).toBe(0)
})
