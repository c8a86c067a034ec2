import { describe, expect, test } from 'vitest'
import { profileInForce } from './profile'

describe('the security profile in force', () => {
  const text = JSON.stringify({ locked: true, profile: { id: 'sensitive', version: 3, name: { fr: 'Sensible' }, sentence: { fr: 'Phrase.', en: 'Sentence.' }, private_messages: 'hosts', keep_chat_days: 90, watermark: true } })

  test('is read from the room', () => {
    expect(profileInForce(text, null)).toEqual({ id: 'sensitive', name: { fr: 'Sensible' }, sentence: { fr: 'Phrase.', en: 'Sentence.' }, watermark: true, privately: 'hosts', keepChatDays: 90 })
  })

  test('stays the same object while it says the same, so that nothing is drawn again', () => {
    const first = profileInForce(text, null)
    expect(profileInForce(text, first)).toBe(first)
    expect(profileInForce(text.replace('true}', 'false}'), first)).not.toBe(first)
  })

  test.each([undefined, '', '{', 'null', '[]', '7', '"x"', '{"profile":[]}', '{"profile":{"id":7}}'])('%s says nothing', (other) => {
    expect(profileInForce(other, null)).toBeNull()
  })

  test('what has another form is left out', () => {
    expect(profileInForce(JSON.stringify({ profile: { id: 'x', name: 'x', sentence: { fr: 7, en: 'S' }, watermark: 1, private_messages: {}, keep_chat_days: '90' } }), null)).toEqual({ id: 'x', name: {}, sentence: { en: 'S' }, watermark: false, privately: 'off', keepChatDays: 0 })
  })
})
