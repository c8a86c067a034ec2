// Tracks on elements. livekit-client attaches and detaches, so that it knows which pictures are visible.
import { useEffect, useRef } from 'react'
import type { Person, Share, Track } from '@/call/live'

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

function Audio({ track }: { track: Track }) {
  const element = useRef<HTMLAudioElement>(null)
  useEffect(() => {
    const audio = element.current
    if (!audio) return
    track.attach(audio)
    return () => void track.detach(audio)
  }, [track])
  // Live speech: there is nothing to caption from here.
  // eslint-disable-next-line jsx-a11y/media-has-caption
  return <audio ref={element} autoPlay />
}

/** Every voice plays, whether its tile is on this page or not. */
export function Voices({ people, shares }: { people: readonly Person[]; shares: readonly Share[] }) {
  return (
    <div hidden>
      {people.map((person) => (person.voice ? <Audio key={person.identity} track={person.voice} /> : null))}
      {shares.map((share) => (share.sound ? <Audio key={share.identity} track={share.sound} /> : null))}
    </div>
  )
}
