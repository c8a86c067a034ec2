import { describe, expect, it } from 'vitest'
import { Pace, type Judgement } from './pace'

/** So many seconds of frames, each at its cost; a device that is busy with one misses those that come meanwhile. */
function play(pace: Pace, seconds: number, cost: number, from = 0): { judged: Judgement[]; now: number } {
  const interval = 1000 / 30
  const judged: Judgement[] = []
  let now = from
  for (let frame = 0; now < from + seconds * 1000; frame++) {
    now += Math.max(interval * pace.effort.frameEvery, cost)
    const judgement = pace.took(cost, now)
    if (judgement !== 'fine') judged.push(judgement)
    if (judgement === 'too slow') break
  }
  return { judged, now }
}

describe('the pace of an effect', () => {
  it('does everything where that is little work', () => {
    const pace = new Pace()
    expect(play(pace, 600, 8).judged).toEqual([])
    expect(pace.effort).toEqual({ maskEvery: 1, frameEvery: 1 })
  })

  it('forgives the first seconds, in which the model is compiled', () => {
    const pace = new Pace()
    const { now } = play(pace, 2.9, 400)
    expect(play(pace, 60, 8, now).judged).toEqual([])
  })

  it('does less, step by step, and goes on where the least is bearable', () => {
    const pace = new Pace()
    expect(play(pace, 6, 25).judged).toEqual(['other effort'])
    expect(pace.effort).toEqual({ maskEvery: 2, frameEvery: 1 })
    const slow = new Pace()
    expect(play(slow, 120, 90).judged).toEqual(['other effort', 'other effort'])
    expect(slow.effort).toEqual({ maskEvery: 3, frameEvery: 2 })
  })

  it('is given up where even the least leaves no picture of somebody who speaks', () => {
    const pace = new Pace()
    const { judged, now } = play(pace, 60, 200)
    expect(judged).toEqual(['other effort', 'other effort', 'too slow'])
    expect(now).toBeLessThan(15_000)
  })

  it('is not given up for one bad moment', () => {
    const pace = new Pace()
    const { now } = play(pace, 30, 90)
    const bad = play(pace, 5, 300, now)
    expect(bad.judged).toEqual([])
    expect(play(pace, 60, 90, bad.now).judged).toEqual([])
  })

  it('does more again once the device has long been at ease', () => {
    const pace = new Pace()
    const { now } = play(pace, 20, 30)
    expect(pace.effort.maskEvery).toBe(3)
    const { judged } = play(pace, 19, 4, now)
    expect(judged).toEqual([])
    expect(play(pace, 30, 4, now + 19_000).judged.length).toBeGreaterThan(0)
    expect(pace.effort.maskEvery).toBeLessThan(3)
  })
})
