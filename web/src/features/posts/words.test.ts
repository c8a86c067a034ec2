import { describe, expect, it } from 'vitest'
import { languageNames, languageTags, timeThere, timeZones } from './words'

describe('the words of a post', () => {
  it('says what time it is there', () => {
    const noon = new Date('2027-03-02T12:00:00Z')
    expect(timeThere('Asia/Tokyo', 'fr', noon)).toBe('Asia/Tokyo, 21:00')
    expect(timeThere('America/Port-au-Prince', 'en', noon)).toMatch(/^America\/Port-au-Prince, 07:00/)
    expect(timeThere('Europe/Atlantis', 'fr', noon)).toBe('Europe/Atlantis')
    expect(timeThere('Asia/Tokyo', 'ar', noon)).toMatch(/^\u2066Asia\/Tokyo\u2069، 21:00/)
  })
  it('names languages, and leaves what is none as it was typed', () => {
    expect(languageNames(['fr', 'pt-BR', 'x'], 'fr')).toBe('français, portugais brésilien, x')
    expect(languageNames(['fr', 'en'], 'ar')).toBe('الفرنسية، الإنجليزية')
  })
  it('reads tags however they are separated', () => {
    expect(languageTags(' fr, pt-BR;wo  en ')).toEqual(['fr', 'pt-BR', 'wo', 'en'])
    expect(languageTags(' ')).toEqual([])
  })
  it('keeps a chosen zone that the browser does not know', () => {
    expect(timeZones('Europe/Atlantis')).toContain('Europe/Atlantis')
    expect(timeZones('Europe/Paris').filter((zone) => zone === 'Europe/Paris')).toHaveLength(1)
  })
})
