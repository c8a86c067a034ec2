// What an interruption leaves dead. After a phone call iOS Safari gives a page back with microphone and camera ended or
// muted for good, and lets it open them again only from a touch.
import { Track, type LocalTrackPublication, type Room } from 'livekit-client'

/** How long a browser is given to wake the devices by itself once the page is on the screen again. */
export const wakesBy = 1_500

function dead({ track, isMuted }: LocalTrackPublication): boolean {
  if (!track || isMuted || (track.source !== Track.Source.Microphone && track.source !== Track.Source.Camera)) return false
  const device = plain(track)
  return device?.readyState === 'ended' || device?.muted === true
}

/** The device's own track, below any effect: what an effect makes of it outlives it. */
export function plain(track: Track | undefined): MediaStreamTrack | undefined {
  return track?.mediaStream?.getTracks()[0] ?? track?.mediaStreamTrack
}

/** The microphone or camera that should be on, and sends nothing any more. */
export function deadDevices(room: Room): LocalTrackPublication[] {
  return [...room.localParticipant.trackPublications.values()].filter((publication): publication is LocalTrackPublication => dead(publication))
}
