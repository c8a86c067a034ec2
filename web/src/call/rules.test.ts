import { describe, expect, test } from 'vitest'
import { rules, RulesReader } from './rules'

describe('what the server says of the call', () => {
  test('is read', () => {
    const text = JSON.stringify({ locked: true, spotlight: ['p_1', 'p_2'], forbidden: ['share'], profile: { id: 'sensitive', version: 3, sentence: { fr: 'Phrase.', en: 'Sentence.' }, watermark: true } })
    expect(rules(text)).toEqual({ locked: true, spotlight: ['p_1', 'p_2'], forbidden: ['share'], profile: { id: 'sensitive', sentence: { fr: 'Phrase.', en: 'Sentence.' }, watermark: true } })
  })

  test.each([undefined, '', '{', 'null', '[]', '7', '"x"'])('%s says nothing', (text) => {
    expect(rules(text)).toEqual({ locked: false, spotlight: [], forbidden: [], profile: null })
  })

  test('what has another form is left out', () => {
    const text = JSON.stringify({ locked: 'yes', spotlight: ['p_1', 7, null], forbidden: { share: true }, profile: { sentence: {} } })
    expect(rules(text)).toEqual({ locked: false, spotlight: ['p_1'], forbidden: [], profile: null })
    expect(rules(JSON.stringify({ profile: { id: 'x', sentence: { fr: 7, en: 'S' }, watermark: 1 } })).profile).toEqual({ id: 'x', sentence: { en: 'S' }, watermark: false })
  })

  test('the same text is the same rules, so that nothing is drawn again', () => {
    const reader = new RulesReader()
    const first = reader.read('{"locked":true}')
    expect(reader.read('{"locked":true}')).toBe(first)
    expect(reader.read('{"locked":false}').locked).toBe(false)
  })
})
