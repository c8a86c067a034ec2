import { expect, test } from 'vitest'
import type { Meeting } from '@/api'
import { grouped, groupOf, unheld } from './groups'

const now = new Date(2027, 2, 2, 10, 0)
const at = (day: number, hour: number) => new Date(2027, 2, day, hour).toISOString()
const base: Meeting = {
  id: 'm', post: 'p', title: 'A', state: 'scheduled', organiser: { id: 'a', name: 'Anne' }, created_at: at(1, 9), role: 'host',
  waiting: 0, present: 0, profile: 'standard', locked: false, permanent: false,
}
const made = (more: Partial<Meeting>): Meeting => ({ ...base, ...more })

test.each([
  ['now', { state: 'open' }],
  ['now', { waiting: 2, starts_at: at(3, 9) }],
  ['now', { permanent: true, state: 'open' }],
  ['today', { starts_at: at(2, 23) }],
  ['today', { starts_at: at(2, 9) }],
  ['later', { starts_at: at(3, 0) }],
  ['later', {}],
  ['permanent', { permanent: true }],
  ['past', { state: 'ended', ended_at: at(2, 9) }],
  ['past', { state: 'ended', permanent: true, ended_at: at(2, 9) }],
  ['past', { starts_at: at(1, 9), ends_at: at(1, 10) }],
] as [string, Partial<Meeting>][])('%s', (group, more) => {
  expect(groupOf(made(more), now)).toBe(group)
})

test('the next time comes first, of what is over the last', () => {
  const ids = (meetings: Meeting[]) => meetings.map(({ id }) => id)
  const all = [
    made({ id: 'late', starts_at: at(5, 9) }), made({ id: 'soon', starts_at: at(3, 9) }),
    made({ id: 'old', state: 'ended', ended_at: at(1, 9) }), made({ id: 'recent', state: 'ended', ended_at: at(2, 9) }),
    made({ id: 'z', title: 'Z', permanent: true }), made({ id: 'b', title: 'B', permanent: true }),
  ]
  expect(grouped(all, now).map(([name, of]) => [name, ids(of)])).toEqual([['later', ['soon', 'late']], ['permanent', ['b', 'z']], ['past', ['recent', 'old']]])
})

test('what nobody opened was not held', () => {
  expect(unheld(made({ starts_at: at(1, 9), ends_at: at(1, 10) }), now)).toBe(true)
  expect(unheld(made({ starts_at: at(1, 9), ends_at: at(3, 10) }), now)).toBe(false)
  expect(unheld(made({ state: 'ended', starts_at: at(1, 9), ends_at: at(1, 10) }), now)).toBe(false)
})
