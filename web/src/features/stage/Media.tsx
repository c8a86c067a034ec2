// Tracks on elements. livekit-client attaches and detaches, so that it knows which pictures are visible.
import { useEffect, useRef } from 'react'
import type { Person, Share, Track, ViewState } from '@/call/live'

export function Video({ track, mirrored, label }: { track: Track; mirrored?: boolean; label: string }) {
  const element = useRef<HTMLVideoElement>(null)
  useEffect(() => {
    const video = element.current
    if (!video) return
    track.attach(video)
    return () => void track.detach(video)
  }, [track])
  return <video ref={element} className={mirrored ? 'mirror' : ''} aria-label={label} autoPlay playsInline muted />
}

interface Heard {
  track: Track
  /** Loudness, 0 to 1. */
  volume: number
  silenced: boolean
}

function Audio({ track, volume, silenced, whose }: Heard & { whose: string }) {
  const element = useRef<HTMLAudioElement>(null)
  useEffect(() => {
    const audio = element.current
    if (!audio) return
    track.attach(audio)
    return () => void track.detach(audio)
  }, [track])
  useEffect(() => {
    const audio = element.current
    if (!audio) return
    // After the effect above, since attaching makes it heard. A phone of Apple's keeps its volume, but is muted.
    audio.volume = volume
    audio.muted = silenced
  }, [track, volume, silenced])
  // Live speech: there is nothing to caption from here.
  // eslint-disable-next-line jsx-a11y/media-has-caption
  return <audio ref={element} autoPlay data-of={whose} />
}

/** Every voice plays, whether its tile is on this page or not; a screen's sound is as loud as its owner. */
export function Voices({ people, shares, view }: { people: readonly Person[]; shares: readonly Share[]; view: ViewState }) {
  const heard = (identity: string) => ({ volume: view.volumes[identity] ?? 1, silenced: view.silenced.includes(identity), whose: identity })
  return (
    <div hidden>
      {people.map((person) => (person.voice ? <Audio key={person.identity} track={person.voice} {...heard(person.identity)} /> : null))}
      {shares.map((share) => (share.sound ? <Audio key={share.identity} track={share.sound} {...heard(share.identity)} /> : null))}
    </div>
  )
}
