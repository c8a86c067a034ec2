import { describe, expect, it } from 'vitest'
import { commands } from './commands'
import { dayOf } from './days'
import { asked, everything, narrows } from './finding'
import { length, taken } from './told'

describe('recordings', () => {
  const from = new Date('2027-03-02T09:00:00Z')
  it.each([
    ['2027-03-02T09:00:59Z', 'recs.length.short', 0, 0], ['2027-03-02T09:42:10Z', 'recs.length.minutes', 0, 42],
    ['2027-03-02T11:05:00Z', 'recs.length.hours', 2, 5], ['2027-03-02T10:00:30Z', 'recs.length.whole', 1, 0], ['2027-03-02T08:00:00Z', 'recs.length.short', 0, 0],
  ])('until %s is %s', (to, id, h, n) => {
    expect(length(from, new Date(to))).toEqual({ id, values: { h, n } })
  })

  it('tells parts that were taken away together as one', () => {
    const at = (seconds: number) => new Date(from.getTime() + seconds * 1000).toISOString()
    expect(taken([
      { name: 'Anne', what: 'part', part: 2, at: at(301) }, { name: 'Anne', what: 'part', part: 1, at: at(300) }, { name: 'Luc', what: 'part', part: 1, at: at(299) },
      { name: 'Anne', what: 'part', part: 1, at: at(200), extent: 'range' }, { name: 'Anne', what: 'part', part: 1, at: at(100) }, { what: 'part', part: 1, at: at(99) },
    ])).toEqual([
      { name: 'Anne', parts: [2, 1], at: at(300), some: false, film: false }, { name: 'Luc', parts: [1], at: at(299), some: false, film: false },
      { name: 'Anne', parts: [1], at: at(200), some: true, film: false }, { name: 'Anne', parts: [1], at: at(100), some: false, film: false }, { name: '', parts: [1], at: at(99), some: false, film: false },
    ])
    // The film is none of the parts, whenever it was taken.
    expect(taken([{ name: 'Anne', what: 'part', part: 1, at: at(302) }, { name: 'Anne', what: 'film', part: 0, at: at(301) }, { name: 'Anne', what: 'film', part: 0, at: at(300), extent: 'range' }])).toEqual([
      { name: 'Anne', parts: [1], at: at(302), some: false, film: false }, { name: 'Anne', parts: [], at: at(300), some: false, film: true },
    ])
  })

  it('asks for what is wanted, by days of the reader', () => {
    expect(narrows(everything)).toBe(false)
    expect(String(asked(everything, ''))).toBe('limit=20')
    const wanted = { of: 'shared', title: '  visas ', from: '2027-03-02', to: '2027-03-28', held: true }
    expect(narrows(wanted)).toBe(true)
    const query = Object.fromEntries(asked(wanted, 'place'))
    expect(query).toEqual({ limit: '20', of: 'shared', title: 'visas', since: new Date(2027, 2, 2).toISOString(), until: new Date(2027, 2, 29).toISOString(), held: 'true', after: 'place' })
    expect(dayOf(new Date(2027, 2, 2, 23, 59))).toBe('2027-03-02')
  })

  it('says how all parts are opened together', () => {
    expect(commands('-ID').split('\n')).toEqual([
      'mkdir recording--ID',
      'mv recording-*--ID-part-*.tar recording--ID',
      'aparte record verify recording--ID --node-key node-key.json',
      'aparte record open recording--ID -i archive.key -o recording--ID-open --node-key node-key.json',
      'aparte record export recording--ID-open -o recording--ID-media',
    ])
  })
})
