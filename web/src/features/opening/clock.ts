// The one clock that everything follows while a recording is played, in seconds of the recording. Real time is passed in, in
// milliseconds.

export class Clock {
  private base = 0
  private since: number | null = null // real time at base; null while it stands
  private pace = 1

  constructor(private readonly duration: number) {}

  get running(): boolean {
    return this.since !== null
  }

  get rate(): number {
    return this.pace
  }

  at(now: number): number {
    const passed = this.since === null ? 0 : ((now - this.since) / 1000) * this.pace
    return Math.min(Math.max(this.base + passed, 0), this.duration)
  }

  run(now: number): void {
    this.since ??= now
  }

  stand(now: number): void {
    this.base = this.at(now)
    this.since = null
  }

  seek(to: number, now: number): void {
    this.base = Math.min(Math.max(to, 0), this.duration)
    if (this.since !== null) this.since = now
  }

  setRate(pace: number, now: number): void {
    this.seek(this.at(now), now)
    this.pace = pace
  }
}

/** Nobody notices sound and picture this far apart, in seconds. */
const unnoticed = 0.02
/** Beyond this an element is put where it belongs; below, it goes a little faster or slower until it is there. */
const seekFrom = 0.08
/** By how much, at most: pitch is kept, and this is not heard. */
const nudgeMost = 0.06
/** A seek that takes long must not be followed by another at once. Milliseconds. */
const seekEvery = 1_000

export interface Steering { seek: number | null; rate: number }

/** What an element that is at one place and should be at another does next. */
export function steer(wanted: number, actual: number, rate: number, sinceSeek: number): Steering {
  const ahead = actual - wanted
  if (Math.abs(ahead) > seekFrom && sinceSeek >= seekEvery) return { seek: wanted, rate }
  if (Math.abs(ahead) <= unnoticed) return { seek: null, rate }
  // Half a second makes up for it.
  const nudge = Math.min(Math.max(-ahead * 2, -nudgeMost), nudgeMost)
  return { seek: null, rate: rate * (1 + nudge) }
}
