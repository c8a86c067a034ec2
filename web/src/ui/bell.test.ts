import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Bell } from './bell'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

it('rings at once, then gathers for five seconds', () => {
  const told: string[][] = []
  const bell = new Bell<string>((items) => told.push(items))
  bell.ring('a')
  bell.ring('b', 'c')
  bell.ring()
  vi.advanceTimersByTime(4_999)
  bell.ring('d')
  expect(told).toEqual([['a']])
  vi.advanceTimersByTime(1)
  expect(told).toEqual([['a'], ['b', 'c', 'd']])
  vi.advanceTimersByTime(60_000)
  expect(told).toHaveLength(2)
  bell.ring('e')
  expect(told).toHaveLength(3)
})

it('is silent once stopped', () => {
  const told: string[][] = []
  const bell = new Bell<string>((items) => told.push(items))
  bell.ring('a')
  bell.ring('b')
  bell.stop()
  vi.advanceTimersByTime(60_000)
  expect(told).toEqual([['a']])
})
