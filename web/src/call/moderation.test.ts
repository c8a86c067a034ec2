import { describe, expect, it } from 'vitest'
import { askedToUnmute, moderated, moderation, unmoderated } from './moderation'

const bytes = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))

describe('the state of the call', () => {
  it('is read from the metadata, and stays the same while it says the same', () => {
    const now = moderation('{"locked":true,"spotlight":["a","b"],"forbidden":["share","else"]}', unmoderated)
    expect(now).toEqual({ locked: true, spotlight: ['a', 'b'], forbidden: ['share'] })
    expect(moderation('{"forbidden":["share"],"spotlight":["a","b"],"locked":true}', now)).toBe(now)
  })
  it.each([undefined, '', '{', '[]', 'null', '7', '{"locked":"yes","spotlight":"a","forbidden":[1]}'])('is ordinary when it is %s', (text) => {
    expect(moderation(text, unmoderated)).toBe(unmoderated)
  })
})

describe('messages of the server', () => {
  it('say what a host did', () => {
    expect(moderated(bytes({ what: 'forbidden', by: 'Anne', rights: ['share', 1, 'x'], all: true }))).toEqual({ what: 'forbidden', by: 'Anne', rights: ['share'] })
    expect(moderated(bytes({ what: 'muted', by: 'Anne' }))).toEqual({ what: 'muted', by: 'Anne', rights: [] })
  })
  it('ask to open the microphone', () => {
    expect(askedToUnmute(bytes({ what: 'unmute', by: 'Anne' }))).toBe('Anne')
  })
  it('that nobody knows are nothing', () => {
    for (const text of ['', 'null', '{"what":"x"}', '{"what":"unmute"}', '[1]']) {
      expect(moderated(bytes(text))).toBeNull()
      expect(askedToUnmute(bytes(text))).toBeNull()
    }
  })
})
