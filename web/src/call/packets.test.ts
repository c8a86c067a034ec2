import { describe, expect, it } from 'vitest'
import { readMessage, readReactions, readTimer } from './packets'

const message = { seq: 3, from: 'p_a', from_name: 'Anne', to: 'everyone', text: 'bonjour', at: '2027-03-02T09:00:00Z' }
const hostile = ['', '{', 'null', '[]', '3', '"x"', '{}', '\u0000', '[[[[', '{"reactions":{}}', '{"reactions":[null,3,[],{"identity":3,"reaction":"agree"},{"identity":"p","reaction":"__proto__"}]}', '{"timer":[]}', '{"timer":{"ends_at":"soon"}}', '{"timer":{"ends_at":{}}}']

describe('what the server says in a call', () => {
  it('reads what is well-formed', () => {
    expect(readMessage(JSON.stringify({ ...message, to_name: 'Luc', more: 1 }))).toEqual({ ...message, to_name: 'Luc' })
    expect(readReactions('{"reactions":[{"identity":"p","reaction":"agree"},{"identity":"q","reaction":"boo"}]}')).toEqual([{ identity: 'p', reaction: 'agree' }])
    expect(readTimer('{"timer":{"ends_at":"2027-03-02T09:00:00Z","started_by":"Anne"}}')).toEqual({ endsAt: Date.parse('2027-03-02T09:00:00Z'), startedBy: 'Anne' })
  })

  it('reads a file, and takes what is not said for the worse', () => {
    const file = { id: 'f', name: 'note.pdf', kind: 'pdf', type: 'application/pdf', size: 4, outside: false, risky: false, suspicious: false, deleted: false }
    expect(readMessage(JSON.stringify({ ...message, text: '', file }))?.file).toEqual(file)
    expect(readMessage(JSON.stringify({ ...message, file: { id: 'f', name: 'x', kind: '', type: '', size: 1 } }))?.file).toMatchObject({ outside: true, risky: true, suspicious: true, deleted: false })
    for (const broken of [null, 3, [], {}, { ...file, id: 3 }, { ...file, name: {} }, { ...file, size: -1 }, { ...file, size: '4' }]) {
      expect(readMessage(JSON.stringify({ ...message, file: broken })), JSON.stringify(broken)).toBeNull()
    }
  })

  it.each(hostile)('leaves %s alone', (text) => {
    expect(readMessage(text)).toBeNull()
    expect(readReactions(text)).toEqual([])
    expect(readTimer(text)).toBeNull()
  })

  it.each([['seq', '1'], ['seq', 0], ['seq', 1.5], ['from', null], ['from_name', {}], ['to', 3], ['to_name', 3], ['text', ['x']], ['at', 'soon'], ['at', 3]])('takes no message whose %s is %j', (field, value) => {
    expect(readMessage(JSON.stringify({ ...message, [field]: value }))).toBeNull()
  })
})
