// Tracks on elements. livekit-client attaches and detaches, so that it knows which pictures are visible.
import { useEffect, useLayoutEffect, useRef } from 'react'
import type { Person, Share, Track, ViewState } from '@/call/live'

/**
 * Elements whose place has gone, by track. In another layout a picture stands in another place of the page: an element that is
 * made there is dark until the next frame, and the server hears that nobody looks. So the element moves, if another place takes
 * it before the browser draws.
 */
const spare = new Map<Track, HTMLVideoElement[]>()

function takeOrMake(track: Track, page: Document): HTMLVideoElement {
  const left = spare.get(track) ?? []
  const found = left.find((video) => video.ownerDocument === page)
  if (found) {
    spare.set(track, left.filter((video) => video !== found))
    return found
  }
  const made = page.createElement('video')
  Object.assign(made, { autoplay: true, playsInline: true, muted: true })
  track.attach(made)
  return made
}

function leave(track: Track, video: HTMLVideoElement): void {
  spare.set(track, [...(spare.get(track) ?? []), video])
  queueMicrotask(() => {
    const left = spare.get(track) ?? []
    if (!left.includes(video)) return
    const others = left.filter((one) => one !== video)
    if (others.length > 0) spare.set(track, others)
    else spare.delete(track)
    track.detach(video)
    video.remove()
  })
}

export function Video({ track, mirrored, label }: { track: Track; mirrored?: boolean; label: string }) {
  const place = useRef<HTMLSpanElement>(null)
  useLayoutEffect(() => {
    if (!place.current) return
    const video = takeOrMake(track, place.current.ownerDocument)
    place.current.append(video)
    // Some browsers pause what moves.
    if (video.srcObject && video.paused) void video.play().catch(() => undefined)
    return () => leave(track, video)
  }, [track])
  useLayoutEffect(() => {
    const video = place.current?.querySelector('video')
    if (!video) return
    video.className = mirrored ? 'mirror' : ''
    video.setAttribute('aria-label', label)
  }, [track, mirrored, label])
  return <span className="picture" ref={place} />
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
