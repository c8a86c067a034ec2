// Notices that a person talks while their microphone is off. The sound is measured here and goes nowhere.
import type { Listen } from './listening'

// Clearly a voice, for this many measures in a row (about 0.6 s of the meter's 60 ms).
const loud = 0.45
const inARow = 10
/** How long the notice stands, and how long there is none after it, in milliseconds. */
const shownFor = 6_000
const quietFor = 30_000

export class MutedTalk {
  private source: MediaStreamTrack | null = null
  private stop: (() => void) | null = null
  private timer: ReturnType<typeof setTimeout> | undefined
  private quietUntil = 0

  /** open gives a stream of its own for a track, and what lets go of it. */
  constructor(
    private readonly listen: Listen,
    private readonly onChange: (talks: boolean) => void,
    private readonly open: (track: MediaStreamTrack) => { stream: MediaStream; close: () => void } = openClone,
  ) {}

  /** Watches the track of a microphone that is off; null when it is on or there is none. */
  follow(track: MediaStreamTrack | null): void {
    if (track === this.source) return
    this.stop?.()
    this.stop = null
    this.source = track
    this.show(false)
    if (!track) return
    const { stream, close } = this.open(track)
    let heard = 0
    const stopListening = this.listen(stream, (level) => {
      heard = level > loud ? heard + 1 : 0
      if (heard < inARow || Date.now() < this.quietUntil) return
      this.quietUntil = Date.now() + shownFor + quietFor
      this.show(true)
    })
    this.stop = () => {
      stopListening()
      close()
    }
  }

  private show(talks: boolean): void {
    clearTimeout(this.timer)
    this.onChange(talks)
    if (talks) this.timer = setTimeout(() => this.onChange(false), shownFor)
  }
}

/** A muted track is silent; its clone is not. */
function openClone(track: MediaStreamTrack): { stream: MediaStream; close: () => void } {
  const clone = track.clone()
  clone.enabled = true
  return { stream: new MediaStream([clone]), close: () => clone.stop() }
}
