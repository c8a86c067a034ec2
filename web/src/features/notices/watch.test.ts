import { describe, expect, it } from 'vitest'
import type { Notice } from '@/api'
import { NewKnocks } from './watch'

const notice = (meeting: string, newest?: string, waiting = 1): Notice => ({ meeting, title: meeting, waiting, ...(newest ? { newest } : {}) })
const names = (notices: Notice[]) => notices.map(({ meeting }) => meeting)

describe('knocks elsewhere', () => {
  it('ring once each, and not for what was there when the page opened', () => {
    const knocks = new NewKnocks()
    expect(knocks.see([notice('a', '2027-03-02T10:00:00Z')])).toEqual([])
    expect(names(knocks.see([notice('a', '2027-03-02T10:00:00Z')]))).toEqual([])
    expect(names(knocks.see([notice('b', '2027-03-02T10:01:00Z'), notice('a', '2027-03-02T10:00:00Z')]))).toEqual(['b'])
    expect(names(knocks.see([notice('a', '2027-03-02T10:02:00Z', 2), notice('b', '2027-03-02T10:01:00Z')]))).toEqual(['a'])
  })
  it('ring for the first one of an idle page', () => {
    const knocks = new NewKnocks()
    knocks.see([])
    expect(names(knocks.see([notice('a', '2027-03-02T10:00:00Z')]))).toEqual(['a'])
  })
  it('do not ring anew when one of two leaves, nor when the connection comes back', () => {
    const knocks = new NewKnocks()
    knocks.see([])
    knocks.see([notice('a', '2027-03-02T10:05:00Z', 2)])
    expect(knocks.see([notice('a', '2027-03-02T10:00:00Z', 1)])).toEqual([])
    expect(knocks.see([])).toEqual([])
    expect(knocks.see([notice('a', '2027-03-02T10:05:00Z', 2)])).toEqual([])
  })
  it('do not ring for who was sent back from the call', () => {
    const knocks = new NewKnocks()
    knocks.see([])
    expect(knocks.see([notice('a')])).toEqual([])
  })
})
