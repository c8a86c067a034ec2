import { describe, expect, it } from 'vitest'
import { newPIN, pinHash, pinProof, readPIN, shownPIN } from './pin'
import { pinKey } from './secret'
import shared from './testdata/link-vectors.json'

describe('a PIN', () => {
  it.each(shared.pins)('is proved as the server expects: $pin', async ({ secret, pin, proof, hash }) => {
    expect(await pinProof((await pinKey(secret)) ?? '', pin)).toBe(proof)
    expect(await pinHash(secret, pin)).toBe(hash)
  })

  it.each(shared.malformed)('has no key without a secret: %j', async (secret) => {
    expect(await pinKey(secret)).toBeNull()
  })

  it('is six digits, rarely the same', () => {
    const pins = new Set(Array.from({ length: 200 }, newPIN))
    expect(pins.size).toBeGreaterThan(190)
    for (const pin of pins) expect(pin).toMatch(/^\d{6}$/)
  })

  it.each([
    ['482915', '482915'],
    ['482 915', '482915'],
    [' 482\u00a0915\n', '482915'],
    ['482\u202f915', '482915'],
    ['48-29-15', '482915'],
    ['482–915', '482915'],
    ['\u200e482915\u200f', '482915'],
    ['٤٨٢ ٩١٥', '482915'],
    ['۴۸۲۹۱۵', '482915'],
    ['४८२९१५', '482915'],
    ['４８２９１５', '482915'],
    ['000000', '000000'],
    ['48291', null],
    ['4829155', null],
    ['', null],
    ['48291O', null],
    ['code 482915', null],
  ])('is read from %j', (typed, digits) => {
    expect(readPIN(typed)).toBe(digits)
  })

  it('is shown so that it can be read aloud, and read back', () => {
    expect(shownPIN('482915')).toBe('482\u00a0915')
    expect(readPIN(shownPIN('007001'))).toBe('007001')
  })
})
