// How large a picture of oneself a path carries. Where it carries less than is sent, the picture is stepped down by itself, and
// comes back by itself; the sound never depends on it.
//
//	full ──▶ reduced ──▶ small ──▶ off       after a while of what is bad; the last step only where hardly anything passes
//	     ◀──         ◀──       ◀──           after a longer while of what is good
//
// A step up is a try: nobody knows what a path carries before it is sent. A try that fails makes the next wait twice as long, so
// that a path that is narrow for good is tried now and then, and does not flicker.
import type { Uplink } from './uplink'

/** From the smallest picture to the largest. */
export const steps = ['off', 'small', 'reduced', 'full'] as const
export type Step = (typeof steps)[number]

export interface Stepping {
  step: Step
  /** What the step down was for; null: none was needed. */
  why: 'path' | 'device' | null
  /** The person wants a picture to stay, however small. */
  kept: boolean
  /** When the step was taken, in milliseconds. */
  at: number
  /** When the sample before was taken. */
  seen: number
  /** For how long it has been bad, and nearly impassable, and good, in milliseconds. */
  bad: number
  dire: number
  good: number
  /** How long it must be good before the next try. */
  wait: number
  /** When the last step up was taken; null: it has proved right, or there was none. */
  tried: number | null
}

/** What an encoder gets to begin, and a path to widen, after each step, in milliseconds. No two steps are nearer to each other. */
export const settles = 10_000
const badFor = 6_000
/** Where the server rates the connection as poor too. */
const badForBoth = 4_000
const direFor = 6_000
/** The first wait and the longest before a step up. */
export const firstWait = 16_000
export const longestWait = 300_000
/** A step up that has stood for so long was right. */
const proves = 60_000
/** A sample counts for no longer than this: a page that slept has seen nothing. */
const longestSample = 5_000

export function start(ceiling: Step, now: number): Stepping {
  return { step: ceiling, why: null, kept: false, at: now, seen: now, bad: 0, dire: 0, good: 0, wait: firstWait, tried: null }
}

type Verdict = 'good' | 'fair' | 'bad' | 'dire'

/** The borders are those of the server's own rating (sfu/quality.go): 2 % of losses cost sharpness, 8 % words. */
export function judge({ limited, loss, delay, fps }: Uplink): Verdict {
  if ((loss ?? 0) >= 0.2 || (delay ?? 0) >= 2_000 || (limited === 'bandwidth' && (fps ?? 30) < 5)) return 'dire'
  if (limited !== 'none' || (loss ?? 0) >= 0.08 || (delay ?? 0) >= 800) return 'bad'
  return (loss ?? 0) < 0.03 && (delay ?? 0) < 500 ? 'good' : 'fair'
}

/** What follows from a sample. The ceiling is the largest picture that the person wants sent. */
export function follow(before: Stepping, uplink: Uplink, poor: boolean, ceiling: Step, now: number): Stepping {
  if (steps.indexOf(before.step) > steps.indexOf(ceiling)) return start(ceiling, now)
  const verdict = judge(uplink)
  const amiss = verdict === 'bad' || verdict === 'dire'
  const elapsed = Math.min(longestSample, now - before.seen)
  if (now - before.at < settles) return { ...before, seen: now }
  const tried = before.tried !== null && now - before.tried >= proves ? null : before.tried
  const measured: Stepping = {
    ...before, seen: now, tried,
    wait: tried === null && before.tried !== null ? firstWait : before.wait,
    bad: amiss ? before.bad + elapsed : verdict === 'good' ? 0 : Math.max(0, before.bad - elapsed),
    dire: verdict === 'dire' ? before.dire + elapsed : 0,
    good: verdict === 'good' ? before.good + elapsed : verdict === 'fair' ? before.good : 0,
  }
  if (amiss && measured.bad >= (poor ? badForBoth : badFor)) return down(measured, uplink.limited === 'cpu' ? 'device' : 'path', now)
  if (measured.good < measured.wait) return measured
  return measured.step === ceiling ? { ...measured, kept: false, wait: measured.tried === null ? firstWait : measured.wait } : up(measured, ceiling, now)
}

function down(before: Stepping, why: 'path' | 'device', now: number): Stepping {
  const dire = before.dire >= direFor
  // Only a path that hardly carries the sound takes the picture away, and never against the person's word.
  const to: Step = before.step === 'full' && !dire ? 'reduced' : before.step === 'small' && dire && why === 'path' && !before.kept ? 'off' : before.step === 'off' ? 'off' : 'small'
  if (to === before.step) return before
  return { ...before, step: to, why, at: now, bad: 0, dire: 0, good: 0, tried: null, wait: before.tried === null ? before.wait : Math.min(longestWait, 2 * before.wait) }
}

function up(before: Stepping, ceiling: Step, now: number): Stepping {
  const to = steps[steps.indexOf(before.step) + 1] ?? ceiling
  const whole = to === ceiling
  return { ...before, step: to, why: whole ? null : before.why, kept: before.kept && !whole, at: now, bad: 0, dire: 0, good: 0, tried: now }
}

/** The person wants the picture to stay: one that was taken away comes back small, and is not taken away again before all is well. */
export function keep(before: Stepping, ceiling: Step, now: number): Stepping {
  if (before.step !== 'off') return { ...before, kept: true }
  return { ...before, step: 'small', why: ceiling === 'small' ? null : before.why, kept: true, at: now, bad: 0, dire: 0, good: 0, tried: null }
}
