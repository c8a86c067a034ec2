import { describe, expect, it } from 'vitest'
import type { Quality } from './people'
import { betterAfter, follow, steadyAtFirst, toldAfter, toldAgainAfter, worseAfter, type Steady } from './steady'

/** Follows what is seen from each second on; every word with the second at which it came, and every second at which it was told. */
function run(seen: Record<number, Quality>, seconds: number) {
  let steady: Steady = steadyAtFirst
  let [now, again]: [number, number | null] = [0, null]
  let at: Quality = 'good'
  const words: [number, Quality][] = []
  const told: number[] = []
  for (let ms = 0; ms <= seconds * 1_000; ms += 100) {
    const next = seen[ms / 1_000]
    if (next === undefined && (again === null || ms < again)) continue
    now = ms
    at = next ?? at
    const before = steady.shown
    ;({ steady, again } = follow(steady, at, now))
    if (steady.shown !== before) words.push([now / 1_000, steady.shown])
    if (steady.tell) told.push(now / 1_000)
  }
  return { words, told }
}

describe('the word for the connection', () => {
  it.each<[string, Record<number, Quality>, [number, Quality][]]>([
    ['worse after a while', { 10: 'weak' }, [[10 + worseAfter / 1000, 'weak']]],
    ['not for a moment', { 10: 'weak', 12: 'good', 14: 'fair', 16: 'good' }, []],
    ['the milder of two that are worse', { 10: 'weak', 11: 'fair', 12: 'weak' }, [[13, 'fair'], [16, 'weak']]],
    ['better after a longer while', { 10: 'weak', 20: 'good' }, [[13, 'weak'], [20 + betterAfter / 1000, 'good']]],
    ['the worse of two that are better', { 10: 'weak', 20: 'good', 24: 'fair' }, [[13, 'weak'], [28, 'fair']]],
    ['not better for a moment', { 10: 'weak', 20: 'good', 25: 'weak', 26: 'good', 31: 'weak' }, [[13, 'weak']]],
    ['lost and there again at once', { 10: 'lost', 12: 'good' }, [[10, 'lost'], [12, 'good']]],
  ])('%s', (_, seen, words) => {
    expect(run(seen, 60).words).toEqual(words)
  })
  it('is told when it stays weak, and not again for a while', () => {
    expect(run({ 10: 'weak' }, 20).told).toEqual([])
    expect(run({ 10: 'fair' }, 600).told).toEqual([])
    const first = 10 + (worseAfter + toldAfter) / 1000
    expect(run({ 10: 'weak' }, 200).told).toEqual([first, first + toldAgainAfter / 1000])
    expect(run({ 10: 'weak', 30: 'good', 50: 'weak' }, 100).told).toEqual([first])
  })
  it('changes less often than what it tells of: never twice in three seconds but for a connection that is lost', () => {
    const kinds: Quality[] = ['good', 'fair', 'weak']
    let seed = 7
    const next = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
    const seen: Record<number, Quality> = {}
    for (let second = 1; second < 3_000; second += 1) if (next() < 0.4) seen[second] = kinds[Math.floor(next() * 3)] ?? 'good'
    const { words } = run(seen, 3_000)
    expect(words.length).toBeGreaterThan(20)
    for (const [i, [at]] of words.entries()) expect(at - (words[i - 1]?.[0] ?? -Infinity)).toBeGreaterThanOrEqual(worseAfter / 1_000)
  })
})
