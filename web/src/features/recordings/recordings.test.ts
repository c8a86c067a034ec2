import { describe, expect, it } from 'vitest'
import { commands } from './commands'
import { length, taken } from './told'

describe('recordings', () => {
  const from = new Date('2027-03-02T09:00:00Z')
  it.each([
    ['2027-03-02T09:00:59Z', 'recs.length.short', 0, 0], ['2027-03-02T09:42:10Z', 'recs.length.minutes', 0, 42],
    ['2027-03-02T11:05:00Z', 'recs.length.hours', 2, 5], ['2027-03-02T08:00:00Z', 'recs.length.short', 0, 0],
  ])('until %s is %s', (to, id, h, n) => {
    expect(length(from, new Date(to))).toEqual({ id, values: { h, n } })
  })

  it('tells parts that were taken away together as one', () => {
    const at = (seconds: number) => new Date(from.getTime() + seconds * 1000).toISOString()
    expect(taken([
      { name: 'Anne', part: 2, at: at(301) }, { name: 'Anne', part: 1, at: at(300) }, { name: 'Luc', part: 1, at: at(299) },
      { name: 'Anne', part: 1, at: at(200) }, { name: 'Anne', part: 1, at: at(100) }, { part: 1, at: at(99) },
    ])).toEqual([
      { name: 'Anne', parts: [2, 1], at: at(300) }, { name: 'Luc', parts: [1], at: at(299) },
      { name: 'Anne', parts: [1], at: at(200) }, { name: 'Anne', parts: [1], at: at(100) }, { name: '', parts: [1], at: at(99) },
    ])
  })

  it('says how all parts are opened together', () => {
    const part = (number: number) => ({ number, name: `recording-2027-03-02-ID-part-000${number}.tar`, bytes: 1, closed: true, stored: 'here' as const })
    expect(commands({ id: 'ID', parts: [part(1), part(2)] }).split('\n')).toEqual([
      'mkdir ID',
      'mv recording-2027-03-02-ID-part-0001.tar ID/part-0001.tar',
      'mv recording-2027-03-02-ID-part-0002.tar ID/part-0002.tar',
      'aparte record verify ID --node-key node-key.json',
      'aparte record open ID -i archive.key -o ID-open --node-key node-key.json',
      'aparte record export ID-open -o ID-media',
    ])
  })
})
