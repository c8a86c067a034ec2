import { expect, it } from 'vitest'
import { newsOf } from './useRecordingNews'

it('tells of every beginning and every end, and nothing twice', () => {
  expect([newsOf(null, 'asking'), newsOf('running', 'running'), newsOf(null, null)]).toEqual([undefined, undefined, undefined])
  expect(newsOf('asking', 'running')).toBe('rec.sr.started')
  expect(newsOf(null, 'running')).toBe('rec.sr.started') // whoever comes later
  expect(newsOf('running', 'paused')).toBe('rec.sr.paused')
  expect(newsOf('paused', 'running')).toBe('rec.sr.resumed')
  expect(newsOf('running', 'interrupted')).toBe('rec.sr.interrupted')
  expect(newsOf('interrupted', 'running')).toBe('rec.sr.resumed')
  expect(newsOf('asking', null)).toBe('rec.sr.cancelled')
  for (const before of ['running', 'paused', 'interrupted'] as const) expect(newsOf(before, null)).toBe('rec.sr.stopped')
})
