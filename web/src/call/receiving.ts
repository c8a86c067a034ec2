// Which pictures are asked of the server. With sound alone none is received but, if wanted, shared screens; with little data
// the smallest of each camera. Voices are always received.
import { RoomEvent, Track, VideoQuality, type RemoteTrackPublication, type Room } from 'livekit-client'
import type { Readable } from '@/api'
import type { Preferences } from './preferences'

export type Wanted = Pick<Preferences, 'data' | 'screens'>

export class Receiving {
  /** Cameras of which only the smallest picture was asked for, by publication. */
  private readonly lowered = new WeakSet<RemoteTrackPublication>()

  constructor(private readonly room: Room, private readonly wanted: Readable<Wanted>) {
    room.on(RoomEvent.TrackPublished, this.want)
  }

  /** Whether the server may send everything from the first moment; else each track is asked for. */
  get all(): boolean {
    return this.wanted.get().data !== 'sound'
  }

  /** After a join, and when the wish has changed. */
  apply = (): void => {
    for (const participant of this.room.remoteParticipants.values()) for (const publication of participant.trackPublications.values()) this.want(publication)
  }

  private want = (publication: RemoteTrackPublication): void => {
    const { data, screens } = this.wanted.get()
    const wanted = publication.kind === Track.Kind.Audio || data !== 'sound' || (publication.source === Track.Source.ScreenShare && screens)
    if (publication.isDesired !== wanted) publication.setSubscribed(wanted)
    if (!wanted || publication.source !== Track.Source.Camera) return
    const low = data === 'low'
    if (low === this.lowered.has(publication)) return
    publication.setVideoQuality(low ? VideoQuality.LOW : VideoQuality.HIGH)
    if (low) this.lowered.add(publication)
    else this.lowered.delete(publication)
  }
}
