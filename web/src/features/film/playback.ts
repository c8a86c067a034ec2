// What a film's element does, as a state that can be shown, and what can be asked of it. It knows the element, and no React.
import { Store, type Readable } from '@/api'

export interface Playing {
  /** Seconds. */
  time: number
  length: number
  paused: boolean
  /** The film does not come: it was cut off, or cannot be played here. */
  broken: boolean
  /** It is waited for. */
  waiting: boolean
  muted: boolean
  speed: number
  captions: boolean
}

const events = ['timeupdate', 'seeked', 'durationchange', 'play', 'pause', 'ended', 'error', 'waiting', 'playing', 'canplay', 'loadstart', 'volumechange', 'ratechange'] as const

/** HTMLMediaElement.HAVE_FUTURE_DATA: from then on it goes on. */
const futureData = 3

export class Playback {
  readonly #playing: Store<Playing>
  #film: HTMLVideoElement | null = null

  /** The length is what is known before the film tells its own. */
  constructor(length: number) {
    this.#playing = new Store<Playing>({ time: 0, length, paused: true, broken: false, waiting: false, muted: false, speed: 1, captions: true })
  }

  get playing(): Readable<Playing> {
    return this.#playing
  }

  /** Follows an element until the function that comes back is called. */
  readonly attach = (film: HTMLVideoElement): (() => void) => {
    this.#film = film
    for (const event of events) film.addEventListener(event, this.#look)
    this.#caption()
    return () => {
      for (const event of events) film.removeEventListener(event, this.#look)
      this.#film = null
    }
  }

  readonly toggle = (): void => {
    const film = this.#film
    if (!film) return
    // Whoever pauses at once breaks off the playing: that is no fault.
    if (film.paused || film.ended) void film.play().catch(() => undefined)
    else film.pause()
  }

  readonly seek = (to: number): void => {
    if (this.#film) this.#film.currentTime = to
  }

  readonly mute = (): void => {
    if (this.#film) this.#film.muted = !this.#film.muted
  }

  readonly speedUp = (speed: number): void => {
    if (this.#film) this.#film.playbackRate = speed
  }

  readonly caption = (captions: boolean): void => {
    this.#playing.set({ ...this.#playing.get(), captions })
    this.#caption()
  }

  /** Asks for the film anew, and goes on where it was. */
  readonly again = (): void => {
    const film = this.#film
    if (!film) return
    const at = film.currentTime
    film.addEventListener('loadedmetadata', () => {
      film.currentTime = at
    }, { once: true })
    film.load()
  }

  #caption(): void {
    for (const track of this.#film?.textTracks ?? []) track.mode = this.#playing.get().captions ? 'showing' : 'hidden'
  }

  readonly #look = (): void => {
    const film = this.#film
    if (!film) return
    const before = this.#playing.get()
    this.#playing.set({
      ...before, time: film.currentTime, length: Number.isFinite(film.duration) && film.duration > 0 ? film.duration : before.length, paused: film.paused || film.ended,
      broken: film.error !== null, waiting: !film.paused && !film.ended && film.readyState < futureData, muted: film.muted, speed: film.playbackRate,
    })
  }
}
