// Plays what was opened: every picture and every sound is an element of its own, and all follow one clock. It knows no UI
// framework; the page puts the elements where they belong.
import { Store } from '@/api'
import { Clock, steer } from './clock'
import { shownAt, skipTo, within, type Shown, type Timeline, type Track } from './timeline'

export interface Scene extends Shown {
  /** What is in the page now: also what comes soon, so that it is ready. */
  near: readonly Track[]
  /** Files that this browser cannot play. */
  failed: readonly string[]
}

/** How long before its time an element is there, in seconds. */
const early = 4
/** An element that is not ready holds all others up for so long, in milliseconds. */
const patience = 3_000
const tickEvery = 100
/** HTMLMediaElement.HAVE_FUTURE_DATA: it can go on. */
const haveFutureData = 3

interface Held { element: HTMLMediaElement; track: Track; sought: number }

export class Player {
  readonly at: Store<number>
  readonly playing: Store<boolean>
  readonly rate: Store<number>
  readonly volumes: Store<ReadonlyMap<string, number>>
  readonly scene: Store<Scene>

  private readonly clock: Clock
  private readonly elements = new Map<HTMLMediaElement, Held>()
  private readonly addresses = new Map<string, string>()
  private failed: readonly string[] = []
  private stalled: number | null = null // since when something is waited for
  private shown = ''
  private timer: ReturnType<typeof setInterval> | undefined

  constructor(readonly timeline: Timeline, private readonly media: ReadonlyMap<string, Blob>, private readonly now: () => number = () => performance.now()) {
    this.clock = new Clock(timeline.duration)
    this.at = new Store(0)
    this.playing = new Store<boolean>(false)
    this.rate = new Store(1)
    this.volumes = new Store<ReadonlyMap<string, number>>(new Map())
    this.scene = new Store<Scene>(this.sceneAt(0))
  }

  start(): () => void {
    this.timer = setInterval(() => this.tick(), tickEvery)
    return () => {
      clearInterval(this.timer)
      for (const { element } of this.elements.values()) element.pause()
      for (const address of this.addresses.values()) URL.revokeObjectURL(address)
      this.addresses.clear()
    }
  }

  /** Where a file can be loaded from; only this page can. */
  address(file: string): string {
    const known = this.addresses.get(file)
    if (known !== undefined) return known
    const media = this.media.get(file)
    const made = media ? URL.createObjectURL(media) : ''
    this.addresses.set(file, made)
    return made
  }

  attach(element: HTMLMediaElement, track: Track): () => void {
    const held: Held = { element, track, sought: -Infinity }
    this.elements.set(element, held)
    const broken = () => {
      this.failed = [...this.failed, track.file]
      this.tick()
    }
    element.addEventListener('error', broken)
    element.preservesPitch = true
    this.follow(held, this.at.get(), this.now())
    return () => {
      element.removeEventListener('error', broken)
      element.pause()
      this.elements.delete(element)
    }
  }

  play(): void {
    if (this.clock.at(this.now()) >= this.timeline.duration) this.clock.seek(0, this.now())
    this.playing.set(true)
    this.clock.run(this.now())
    this.tick()
  }

  pause(): void {
    this.playing.set(false)
    this.stalled = null
    this.clock.stand(this.now())
    this.tick()
  }

  toggle(): void {
    if (this.playing.get()) this.pause()
    else this.play()
  }

  seek(to: number): void {
    this.clock.seek(to, this.now())
    for (const held of this.elements.values()) held.sought = -Infinity
    this.tick()
  }

  setRate(rate: number): void {
    this.clock.setRate(rate, this.now())
    this.rate.set(rate)
    this.tick()
  }

  setVolume(identity: string, volume: number): void {
    this.volumes.update((volumes) => new Map(volumes).set(identity, volume))
    this.tick()
  }

  /** Once every tenth of a second, and after whatever was done. */
  tick(): void {
    const now = this.now()
    let at = this.clock.at(now)
    const skip = this.playing.get() ? skipTo(this.timeline, at) : null
    if (skip !== null) {
      this.clock.seek(skip, now)
      at = skip
    }
    this.wait(at, now)
    for (const held of this.elements.values()) this.follow(held, at, now)
    if (this.playing.get() && at >= this.timeline.duration) {
      this.clock.stand(now)
      this.playing.set(false)
    }
    this.at.set(at)
    const scene = this.sceneAt(at)
    const shown = JSON.stringify([scene.people.map((one) => [one.identity, one.speaks, one.camera?.file]), scene.screen?.file, scene.near.map(({ file }) => file), scene.failed])
    if (shown !== this.shown) {
      this.shown = shown
      this.scene.set(scene)
    }
  }

  private sceneAt(at: number): Scene {
    const near = this.timeline.tracks.filter(({ spans }) => spans.some(([from, to]) => at >= from - early && at < to + 1))
    return { ...shownAt(this.timeline, at), near, failed: this.failed }
  }

  /** The clock stands while something that belongs here is not ready, but not for ever. */
  private wait(at: number, now: number): void {
    if (!this.playing.get()) return
    const unready = [...this.elements.values()].some(({ element, track }) => within(track.spans, at) && !element.error && !element.ended && element.readyState < haveFutureData)
    if (!unready) {
      this.stalled = null
      this.clock.run(now)
      return
    }
    this.stalled ??= now
    if (now - this.stalled < patience) this.clock.stand(now)
    else this.clock.run(now)
  }

  private follow(held: Held, at: number, now: number): void {
    const { element, track } = held
    const wanted = at - track.start
    element.volume = this.volumes.get().get(track.identity) ?? 1
    if (!within(track.spans, at) || element.error) {
      element.pause()
      return
    }
    if (!this.clock.running) {
      element.pause()
      if (!element.seeking && Math.abs(element.currentTime - wanted) > 0.04 && !element.ended) element.currentTime = wanted
      return
    }
    if (element.seeking) return
    if (element.paused) {
      if (element.ended && wanted >= element.duration) return
      if (Math.abs(element.currentTime - wanted) > 0.04) {
        element.currentTime = wanted
        held.sought = now
      }
      element.playbackRate = this.clock.rate
      void element.play().catch(() => undefined) // paused again before it began
      return
    }
    const { seek, rate } = steer(wanted, element.currentTime, this.clock.rate, now - held.sought)
    if (seek !== null) {
      element.currentTime = seek
      held.sought = now
    }
    if (Math.abs(element.playbackRate - rate) > 0.001) element.playbackRate = rate
  }
}
