// Whom the viewer has pinned comes first where not all pictures fit: the server ranks a picture with a priority beside the
// large ones (UpdateTrackSettings.priority of the LiveKit protocol). livekit-client sends these settings whenever the size
// or the visibility of a picture changes, but leaves the priority out; here it is filled in.
import { RoomEvent, Track, TrackEvent, type RemoteTrackPublication, type Room } from 'livekit-client'
import type { Readable } from '@/api'
import type { ViewState } from './view'

/** The highest. */
const first = 1

type Settings = { priority: number }

export class Priority {
  private pins: readonly string[] = []
  private readonly stop: () => void

  constructor(private readonly room: Room, view: Readable<ViewState>) {
    this.pins = view.get().pins
    const known = new WeakSet<RemoteTrackPublication>()
    room.on(RoomEvent.TrackSubscribed, (_track, publication, participant) => {
      if (publication.source !== Track.Source.Camera || known.has(publication)) return
      known.add(publication)
      // Before the listener that sends them.
      publication.prependListener(TrackEvent.UpdateSettings, (settings: Settings) => {
        if (this.pins.includes(participant.identity)) settings.priority = first
      })
    })
    this.stop = view.subscribe(() => {
      const { pins } = view.get()
      if (pins === this.pins) return
      const changed = [...pins.filter((one) => !this.pins.includes(one)), ...this.pins.filter((one) => !pins.includes(one))]
      this.pins = pins
      for (const identity of changed) this.cameraOf(identity)?.emitTrackUpdate()
    })
  }

  close(): void {
    this.stop()
  }

  private cameraOf(identity: string): RemoteTrackPublication | undefined {
    return this.room.remoteParticipants.get(identity)?.getTrackPublication(Track.Source.Camera)
  }
}
