// Whether this device keeps up with the work on the picture. The work is made less in steps; when the least is still too
// much, it is given up. Nothing here knows a clock: each frame says when it was done and how long it took.

/** How much is done: a new mask for every so many frames, and so many frames that are worked on. */
export interface Effort {
  maskEvery: number
  frameEvery: number
}

const efforts: readonly [Effort, ...Effort[]] = [{ maskEvery: 1, frameEvery: 1 }, { maskEvery: 2, frameEvery: 1 }, { maskEvery: 3, frameEvery: 2 }]

export type Judgement = 'fine' | 'other effort' | 'too slow'

// In milliseconds. The first frames pay for what is compiled and laid out, once.
const warmUp = 3_000
const span = 2_000
// The page draws and answers on the same thread: half of it is the most that one effect may take.
const most = 0.5
// With so little, more can be afforded again; rarely, so that the picture does not go back and forth.
const little = 0.2
const calmSpans = 10
// Fewer than some six pictures a second are no picture of somebody who speaks.
const longestFrame = 160
const slowSpans = 3

export class Pace {
  private step = 0
  private begun: number | null = null
  private spanAt = 0
  private busy = 0
  private frames = 0
  private calm = 0
  private slow = 0

  get effort(): Effort {
    return efforts[this.step] ?? efforts[0]
  }

  /** Of a frame that is done: now and its cost in milliseconds. */
  took(cost: number, now: number): Judgement {
    this.begun ??= now
    if (now - this.begun < warmUp) {
      this.spanAt = now
      return 'fine'
    }
    this.busy += cost
    this.frames++
    const past = now - this.spanAt
    if (past < span) return 'fine'
    const [share, mean] = [this.busy / past, this.busy / this.frames]
    this.spanAt = now
    this.busy = 0
    this.frames = 0
    return this.judge(share, mean)
  }

  private judge(share: number, mean: number): Judgement {
    this.calm = share < little ? this.calm + 1 : 0
    const last = this.step === efforts.length - 1
    this.slow = last && mean > longestFrame ? this.slow + 1 : 0
    if (this.slow >= slowSpans) return 'too slow'
    if (share > most && !last) return this.go(this.step + 1)
    if (this.calm >= calmSpans && this.step > 0) return this.go(this.step - 1)
    return 'fine'
  }

  private go(step: number): Judgement {
    this.step = step
    this.calm = 0
    return 'other effort'
  }
}
