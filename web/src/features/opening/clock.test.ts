import { describe, expect, it } from 'vitest'
import { Clock, steer } from './clock'

describe('the clock', () => {
  it('runs, stands, and keeps its place when its pace changes', () => {
    const clock = new Clock(100)
    expect(clock.at(5_000)).toBe(0)
    clock.run(1_000)
    clock.run(9_000) // it ran already
    expect(clock.at(3_500)).toBe(2.5)
    clock.setRate(2, 3_500)
    expect(clock.at(4_500)).toBe(4.5)
    clock.stand(4_500)
    expect([clock.at(60_000), clock.running]).toEqual([4.5, false])
    clock.run(60_000)
    expect(clock.at(60_250)).toBe(5)
  })
  it('stays within the recording', () => {
    const clock = new Clock(10)
    clock.seek(-3, 0)
    expect(clock.at(0)).toBe(0)
    clock.run(0)
    clock.seek(25, 1_000)
    expect(clock.at(1_000)).toBe(10)
    clock.seek(8, 2_000)
    expect(clock.at(9_000)).toBe(10)
  })
})

describe('an element', () => {
  it('is left alone where nobody notices', () => {
    for (const off of [-0.02, 0, 0.015]) expect(steer(10, 10 + off, 1.5, 5_000)).toEqual({ seek: null, rate: 1.5 })
  })
  it('goes a little faster or slower until it is there', () => {
    expect(steer(10, 9.96, 1, 5_000)).toEqual({ seek: null, rate: 1.06 })
    expect(steer(10, 10.025, 1, 5_000).rate).toBeCloseTo(0.95)
    expect(steer(10, 9.975, 2, 5_000).rate).toBeCloseTo(2.1)
  })
  it('is put there from 80 ms on, but not again and again', () => {
    expect(steer(10, 9.9, 1, 5_000)).toEqual({ seek: 10, rate: 1 })
    expect(steer(10, 9.9, 1, 300)).toEqual({ seek: null, rate: 1.06 })
  })
  it('arrives', () => {
    // A quarter of a minute of an element that began 70 ms late and runs 0.2 % too fast.
    let actual = 9.93
    let rate = 1
    let worst = 0
    for (let now = 0; now < 15_000; now += 100) {
      actual += 0.1 * rate * 1.002
      const wanted = 10 + (now + 100) / 1000
      ;({ rate } = steer(wanted, actual, 1, 60_000))
      if (now > 2_500) worst = Math.max(worst, Math.abs(actual - wanted))
    }
    expect(worst).toBeLessThan(0.025)
  })
})
