import { expect, it } from 'vitest'
import { SoundWatch } from './watch'

it('tells a thread that gives nothing from a quiet room', () => {
  const watch = new SoundWatch()
  expect(watch.sees(0, 0, 0)).toBe(false)
  expect(watch.sees(0, 0, 60_000)).toBe(false) // the microphone is off
  expect(watch.sees(0.2, 0, 60_500)).toBe(false) // it starts
  expect(watch.sees(0.2, 1e-7, 61_000)).toBe(false)
  expect(watch.sees(0.2, 0, 61_500)).toBe(false)
  expect(watch.sees(0.2, 0, 63_400)).toBe(false)
  expect(watch.sees(0.2, 0, 63_500)).toBe(true)
})
