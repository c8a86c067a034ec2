import { RoomEvent, Track, VideoQuality, type Room } from 'livekit-client'
import { EventEmitter } from 'node:events'
import { beforeEach, expect, it, vi } from 'vitest'
import { Store } from '@/api'
import { Receiving, type Wanted } from './receiving'

class Publication {
  readonly setSubscribed = vi.fn((on: boolean) => void (this.isDesired = on))
  readonly setVideoQuality = vi.fn()
  readonly kind: Track.Kind
  constructor(readonly source: Track.Source, public isDesired = true) {
    this.kind = source === Track.Source.Microphone || source === Track.Source.ScreenShareAudio ? Track.Kind.Audio : Track.Kind.Video
  }
}

let tracks: Publication[]
let room: EventEmitter
let wanted: Store<Wanted>
let receiving: Receiving

beforeEach(() => {
  tracks = [Track.Source.Microphone, Track.Source.Camera, Track.Source.ScreenShare, Track.Source.ScreenShareAudio].map((source) => new Publication(source))
  const participant = { trackPublications: new Map(tracks.map((track) => [track.source, track])) }
  room = Object.assign(new EventEmitter(), { remoteParticipants: new Map([['p', participant]]) })
  wanted = new Store<Wanted>({ data: 'full', screens: true })
  receiving = new Receiving(room as unknown as Room, wanted)
})
const choose = (next: Partial<Wanted>) => {
  wanted.set({ ...wanted.get(), ...next })
  receiving.apply()
}
const desired = () => tracks.filter((track) => track.isDesired).map((track) => track.source)
const { Microphone, Camera, ScreenShare, ScreenShareAudio } = Track.Source

it('asks for nothing beyond what comes by itself', () => {
  receiving.apply()
  expect(tracks.flatMap((track) => [...track.setSubscribed.mock.calls, ...track.setVideoQuality.mock.calls])).toEqual([])
})

it('takes no picture with sound alone, screens if they are wanted, and everything again afterwards', () => {
  choose({ data: 'sound' })
  expect(desired()).toEqual([Microphone, ScreenShare, ScreenShareAudio])
  choose({ screens: false })
  expect(desired()).toEqual([Microphone, ScreenShareAudio])
  choose({ data: 'full' })
  expect(desired()).toEqual([Microphone, Camera, ScreenShare, ScreenShareAudio])
})

it('asks for the smallest picture of cameras, once, and for any again afterwards', () => {
  choose({ data: 'low' })
  receiving.apply()
  const [, camera, screen] = tracks
  expect(camera?.setVideoQuality.mock.calls).toEqual([[VideoQuality.LOW]])
  expect(screen?.setVideoQuality).not.toHaveBeenCalled()
  choose({ data: 'full' })
  expect(camera?.setVideoQuality.mock.calls).toEqual([[VideoQuality.LOW], [VideoQuality.HIGH]])
})

it('does the same for what is published later', () => {
  choose({ data: 'sound' })
  expect(receiving.all).toBe(false)
  const [camera, voice] = [new Publication(Camera, false), new Publication(Microphone, false)]
  room.emit(RoomEvent.TrackPublished, camera)
  room.emit(RoomEvent.TrackPublished, voice)
  expect([camera.isDesired, voice.isDesired]).toEqual([false, true])
})
