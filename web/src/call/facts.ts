// Reads off the room what the screen shows of it. What did not change keeps its identity, so that nothing is drawn again.
import { RoomEvent, type Room } from 'livekit-client'
import { moderation } from './moderation'
import { readTimer, type Timer } from './packets'
import { keepSame, people, shares } from './people'
import { profileInForce } from './profile'
import { recordable, recordingTold } from './recording'
import type { CallState } from './state'
import { noHost } from './told'

/** Every event after which the screen may look different. */
export const changes = [
  RoomEvent.ParticipantConnected, RoomEvent.ParticipantDisconnected, RoomEvent.ParticipantNameChanged, RoomEvent.ParticipantAttributesChanged,
  RoomEvent.ParticipantPermissionsChanged, RoomEvent.TrackPublished, RoomEvent.TrackUnpublished, RoomEvent.TrackSubscribed, RoomEvent.TrackUnsubscribed,
  RoomEvent.TrackMuted, RoomEvent.TrackUnmuted, RoomEvent.LocalTrackPublished, RoomEvent.LocalTrackUnpublished, RoomEvent.ActiveSpeakersChanged,
  RoomEvent.RoomMetadataChanged, RoomEvent.ConnectionQualityChanged, RoomEvent.TrackStreamStateChanged, RoomEvent.AudioPlaybackStatusChanged, RoomEvent.VideoPlaybackStatusChanged,
] as const

type Facts = Pick<CallState, 'people' | 'shares' | 'noHost' | 'mustTap' | 'profile' | 'moderation' | 'timer' | 'recording' | 'recordable' | 'askedBy'>

export function facts(room: Room, before: CallState): Facts {
  // While we are away the last picture of the meeting stays on the screen, dimmed.
  const away = before.phase.is === 'reconnecting'
  return {
    people: away ? before.people : keepSame(before.people, people(room)),
    shares: away ? before.shares : keepSame(before.shares, shares(room, before.shares)),
    noHost: noHost(room.metadata, before.noHost),
    mustTap: !room.canPlaybackAudio || !room.canPlaybackVideo,
    profile: profileInForce(room.metadata, before.profile),
    moderation: moderation(room.metadata, before.moderation),
    timer: sameTimer(before.timer, readTimer(room.metadata)),
    recording: recordingTold(room.metadata, before.recording),
    recordable: recordable(room.metadata),
    askedBy: room.localParticipant.isMicrophoneEnabled ? null : before.askedBy,
  }
}

function sameTimer(before: Timer | null, now: Timer | null): Timer | null {
  return before && now && before.endsAt === now.endsAt && before.startedBy === now.startedBy ? before : now
}
