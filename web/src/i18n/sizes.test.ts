import { describe, expect, it } from 'vitest'
import { sized } from './sizes'

describe('sizes', () => {
  it.each([[0, '0 o'], [1, '1 o'], [999, '999 o'], [1000, '1 ko'], [1234, '1,2 ko'], [20_000_000, '20 Mo'], [1_500_000, '1,5 Mo'], [2e12, '2 000 Go']])('of %d bytes is %s', (bytes, said) => {
    expect(sized(bytes, 'fr').replace(/\s/g, ' ')).toBe(said)
  })
})
