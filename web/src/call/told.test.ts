import { describe, expect, it } from 'vitest'
import { noHost } from './told'

describe('what the server tells the call', () => {
  it('knows that no host is there, and what follows', () => {
    expect(noHost('{"no_host":{"since":"2027-03-02T09:00:00Z","then":"end","at":"2027-03-02T09:05:00Z"}}')).toEqual({ then: 'end', at: Date.UTC(2027, 2, 2, 9, 5) })
    expect(noHost('{"no_host":{"since":"2027-03-02T09:00:00Z","then":"wait"}}')).toEqual({ then: 'wait', at: null })
  })
  it.each(['', undefined, '{}', 'null', '[]', '{"no_host":null}', '{"no_host":{"then":"burn"}}', '{"no_host":"end"}', 'not json'])('takes %s for a host being there', (metadata) => {
    expect(noHost(metadata)).toBeNull()
  })
  it('keeps what says the same', () => {
    const before = noHost('{"no_host":{"then":"wait"}}')
    expect(noHost('{"no_host":{"then":"wait"}}', before)).toBe(before)
    expect(noHost('{}', before)).toBeNull()
    expect(noHost('{"no_host":{"then":"end"}}', before)?.then).toBe('end')
  })
})
