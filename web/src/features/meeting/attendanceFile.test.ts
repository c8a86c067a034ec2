import { expect, test } from 'vitest'
import type { Visit } from '@/api'
import { attendanceFile } from './attendanceFile'

const words = (id: string) => id
const visit = (more: Partial<Visit>): Visit => ({ name: 'Inês', role: 'guest', came_at: '2027-03-28T00:30:00Z', left_at: '2027-03-28T01:30:00Z', present: false, ...more })
const lines = (visits: Visit[]) => attendanceFile(visits, { name: 'Lisbonne', zone: 'Europe/Lisbon' }, words, 'en').replace('\ufeff', '').trim().split('\r\n').slice(1)

test('times across a change of clocks are in the post’s zone and in UTC', () => {
  expect(lines([visit({})])).toEqual(['Inês,,kept.role.guest,2027-03-28 00:30:00,2027-03-28 02:30:00,2027-03-28 00:30:00,2027-03-28 01:30:00'])
})

test('what was typed calculates nothing and turns no direction', () => {
  const [line] = lines([visit({ name: '=HYPERLINK("http://x")', organisation: '@SUM(\u202eA1)' })])
  expect(line).toContain(`"'=HYPERLINK(""http://x"")"`)
  expect(line).toContain(`'@SUM([U+202E]A1)`)
})

test('oldest first; who is in is told from who was never seen leaving', () => {
  const open = visit({})
  delete open.left_at
  const found = lines([{ ...open, name: 'B', came_at: '2027-03-28T03:00:00Z', present: true }, { ...open, name: 'A' }])
  expect(found.map((line) => line.split(',').filter((_, i) => i === 0 || i === 4))).toEqual([['A', 'attended.unknown'], ['B', 'attended.present']])
})
