import { describe, expect, it } from 'vitest'
import { firstWait, follow, judge, keep, longestWait, settles, start, steps, type Step, type Stepping } from './stepping'
import type { Uplink } from './uplink'

const good: Uplink = { limited: 'none', loss: 0, delay: 40, fps: 25 }
const narrow: Uplink = { ...good, limited: 'bandwidth' }
const busy: Uplink = { ...good, limited: 'cpu' }
const shut: Uplink = { limited: 'bandwidth', loss: 0.25, delay: 2_500, fps: 1 }
const every = 2_000

/** Follows a path for so many seconds; at says what it is like at a second, given the picture that is sent. */
function run(from: Stepping, seconds: number, at: (second: number, step: Step) => Uplink, { poor = false, ceiling = 'full' }: { poor?: boolean; ceiling?: Step } = {}) {
  let state = from
  const changes: [number, Step][] = []
  const begin = from.seen
  for (let t = every; t <= seconds * 1000; t += every) {
    const next = follow(state, at(t / 1000, state.step), poor, ceiling, begin + t)
    if (next.step !== state.step) changes.push([t / 1000, next.step])
    state = next
  }
  return { state, changes }
}

describe('a sample', () => {
  it.each<[string, Partial<Uplink>, string]>([
    ['nothing wrong', {}, 'good'], ['nothing known', { loss: null, delay: null, fps: null }, 'good'],
    ['some loss', { loss: 0.04 }, 'fair'], ['far away', { delay: 600 }, 'fair'],
    ['words lost', { loss: 0.08 }, 'bad'], ['a second to and fro', { delay: 1_000 }, 'bad'], ['held back by the path', { limited: 'bandwidth' }, 'bad'], ['held back by the device', { limited: 'cpu', fps: 2 }, 'bad'],
    ['a fifth lost', { loss: 0.2 }, 'dire'], ['hardly a frame', { limited: 'bandwidth', fps: 3 }, 'dire'], ['a still picture that nothing holds back', { fps: 1 }, 'good'],
  ])('%s', (_, part, verdict) => {
    expect(judge({ ...good, ...part })).toBe(verdict)
  })
})

describe('a picture', () => {
  it('stays whole on a good path, and through what is over in a moment', () => {
    expect(run(start('full', 0), 3_600, (s) => (s % 60 < 4 ? narrow : good)).changes).toEqual([])
    expect(run(start('full', 0), 3_600, (s) => (s % 60 < 30 ? { ...good, loss: 0.05 } : good)).changes).toEqual([])
  })
  it('is stepped down one after the other, and taken away only where hardly anything passes', () => {
    expect(run(start('full', 0), 120, () => narrow).changes).toEqual([[14, 'reduced'], [28, 'small']])
    expect(run(start('full', 0), 120, () => shut).changes).toEqual([[14, 'small'], [28, 'off']])
  })
  it('is stepped down sooner where the server says so too', () => {
    expect(run(start('full', 0), 20, () => narrow, { poor: true }).changes).toEqual([[12, 'reduced']])
    expect(run(start('full', 0), 600, () => good, { poor: true }).changes).toEqual([])
  })
  it('comes back by itself', () => {
    const { state } = run(start('full', 0), 120, () => shut)
    expect(state.step).toBe('off')
    const { changes, state: back } = run(state, 300, () => good)
    expect(changes.map(([, step]) => step)).toEqual(['small', 'reduced', 'full'])
    expect(back).toMatchObject({ why: null, kept: false })
  })
  it('is never taken away for a busy device, which is why it says so', () => {
    const { state } = run(start('full', 0), 600, () => busy)
    expect(state).toMatchObject({ step: 'small', why: 'device' })
  })
  it('is tried less and less often on a path that carries only a part', () => {
    const { changes } = run(start('full', 0), 3_600, (_, step) => (step === 'full' ? narrow : good))
    const tries = changes.filter(([, step]) => step === 'full').map(([second]) => second)
    const between = tries.slice(1).map((second, i) => second - (tries[i] ?? 0))
    expect(tries.length).toBeLessThan(16)
    expect(between.at(-1)).toBeGreaterThanOrEqual(longestWait / 1000)
    expect(between).toEqual([...between].sort((a, b) => a - b))
  })
  it('that the person keeps is not taken away, and one that is away comes back', () => {
    const off = run(start('full', 0), 120, () => shut).state
    const kept = keep(off, 'full', off.seen)
    expect(kept).toMatchObject({ step: 'small', kept: true })
    expect(run(kept, 600, () => shut).changes).toEqual([])
    expect(run(keep(start('full', 0), 'full', 0), 600, () => shut).state).toMatchObject({ step: 'small', kept: true })
    expect(run(kept, 600, () => good).state).toMatchObject({ step: 'full', kept: false })
  })
  it('is never larger than the person wants', () => {
    expect(run(start('small', 0), 3_600, (s) => (s < 100 ? narrow : good), { ceiling: 'small' }).changes).toEqual([])
    expect(follow(start('full', 0), good, false, 'small', 2_000).step).toBe('small')
  })
})

/** Mulberry32: the same numbers from the same seed. */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

describe('whatever the path does', () => {
  it.each([...Array(100).keys()])('seed %i: steps are one or two apart and never near, each for a reason, and a good end finds all well', (seed) => {
    const next = random(seed)
    const pick = <T>(of: readonly T[]): T => of[Math.floor(next() * of.length)] as T
    const ceiling = pick(['full', 'full', 'small'] as const)
    let state = start(ceiling, 0)
    let now = 0
    let kind: 'good' | 'any' = 'good'
    let changed = 0
    let goodSince = 0
    for (let i = 0; i < 1_500; i++) {
      // A timer that is late, and a page that slept for a while.
      now += next() < 0.01 ? 60_000 : 1_000 + next() * 3_000
      if (next() < 0.05) kind = pick(['good', 'any'] as const)
      const uplink: Uplink = kind === 'good' ? { ...good, loss: next() * 0.029, delay: next() * 499 } : { limited: pick(['none', 'bandwidth', 'cpu'] as const), loss: pick([null, next() * 0.5]), delay: pick([null, next() * 4_000]), fps: pick([null, next() * 30]) }
      if (judge(uplink) !== 'good') goodSince = now
      const before = state
      if (next() < 0.002) state = keep(state, ceiling, now)
      const byPerson = state.step !== before.step
      state = follow(state, uplink, next() < 0.5, ceiling, now)
      expect(steps.indexOf(state.step)).toBeLessThanOrEqual(steps.indexOf(ceiling))
      expect(state.why === null).toBe(state.step === ceiling)
      if (state.kept && before.kept) expect(state.step).not.toBe('off')
      if (state.step !== before.step) {
        if (!byPerson) expect(now - changed, 'milliseconds between two steps').toBeGreaterThanOrEqual(settles)
        changed = now
        const by = steps.indexOf(state.step) - steps.indexOf(before.step)
        if (by > 0) expect(by).toBe(1)
        else expect(judge(uplink), 'what it was stepped down for').toMatch(/bad|dire/)
      }
      if (now - goodSince > 3 * (longestWait + settles) * 2) expect(state.step).toBe(ceiling)
    }
    const end = run(state, 3 * (longestWait + settles) / 1000 + 60, () => good, { ceiling })
    expect(end.state).toMatchObject({ step: ceiling, why: null, kept: false })
    expect(run(end.state, 120, () => good, { ceiling }).state.wait).toBe(firstWait)
  })
})
