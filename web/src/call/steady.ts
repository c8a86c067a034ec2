// The word for one's own connection, which does not flicker: it becomes worse after a while of what is worse, and better after
// a longer while of what is better.
import type { Quality } from './people'

const worst: readonly Quality[] = ['good', 'fair', 'weak', 'lost']
const rank = (quality: Quality) => worst.indexOf(quality)

/** How long it must be worse, and better, before the word says so, in milliseconds. */
export const worseAfter = 3_000
export const betterAfter = 8_000
/** A weak connection that stays so is told to those who do not see the word; and not again for a while. */
export const toldAfter = 8_000
export const toldAgainAfter = 120_000

export interface Steady {
  shown: Quality
  /** Since when the word stands. */
  at: number
  /** Since when it has been otherwise, and what it was at least (if worse) or at most; null while it is as shown. */
  otherwise: { worse: boolean; since: number; quality: Quality } | null
  /** When the weak connection was last told. */
  told: number
  /** To be told now. */
  tell: boolean
}

export const steadyAtFirst: Steady = { shown: 'good', at: -Infinity, otherwise: null, told: -Infinity, tell: false }

/** What follows from what is seen now, and when to look again though nothing new is seen until then, or null. */
export function follow(before: Steady, seen: Quality, now: number): { steady: Steady; again: number | null } {
  const turned = turn(before, seen, now)
  const weak = turned.shown === 'weak'
  const tell = weak && now - turned.at >= toldAfter && now - turned.told >= toldAgainAfter
  const steady = { ...turned, tell, told: tell ? now : turned.told }
  const times = [
    ...(steady.otherwise ? [steady.otherwise.since + (steady.otherwise.worse ? worseAfter : betterAfter)] : []),
    ...(weak ? [Math.max(steady.at + toldAfter, steady.told + toldAgainAfter)] : []),
  ].filter((at) => at > now)
  return { steady, again: times.length > 0 ? Math.min(...times) : null }
}

function turn(before: Steady, seen: Quality, now: number): Steady {
  if (seen === before.shown) return before.otherwise ? { ...before, otherwise: null } : before
  // That the connection is lost, or is there again, is seen at once.
  if (seen === 'lost' || before.shown === 'lost') return { ...before, shown: seen, at: now, otherwise: null }
  const worse = rank(seen) > rank(before.shown)
  const same = before.otherwise?.worse === worse ? before.otherwise : null
  // The milder of what was worse, the worse of what was better: what was true all the time.
  const quality = same && rank(same.quality) < rank(seen) === worse ? same.quality : seen
  const since = same?.since ?? now
  if (now - since < (worse ? worseAfter : betterAfter)) return { ...before, otherwise: { worse, since, quality } }
  return { ...before, shown: quality, at: now, otherwise: quality === seen ? null : { worse: rank(seen) > rank(quality), since: now, quality: seen } }
}
