import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { patiently, untilThere } from './patiently'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Fails so many times, then gives a value. */
function failing(times: number) {
  return vi.fn(() => (times-- > 0 ? Promise.reject(new Error('lost')) : Promise.resolve('here')))
}

it('a part is asked for four times', async () => {
  const load = failing(3)
  const loaded = patiently(load)
  await vi.advanceTimersByTimeAsync(7_500)
  await expect(loaded).resolves.toBe('here')
  expect(load).toHaveBeenCalledTimes(4)
  const given = patiently(failing(4)).catch((error: unknown) => String(error))
  await vi.advanceTimersByTimeAsync(7_500)
  await expect(given).resolves.toBe('Error: lost')
})

it('what a call goes on without is asked for until it comes', async () => {
  const load = failing(41)
  const loaded = untilThere(load)
  await vi.advanceTimersByTimeAsync(10 * 12_500 + 500)
  await expect(loaded).resolves.toBe('here')
  expect(load).toHaveBeenCalledTimes(42)
})
