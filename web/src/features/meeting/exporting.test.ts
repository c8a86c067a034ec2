import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { keepPIN, keepSecret, newSecret, type Link, type Meeting } from '@/api'
import { activate, loadAllWords, t, wordsIn } from '@/i18n'
import { cell, codesFile, csv, guestsFile, invitationsFile } from './exporting'

const now = Date.parse('2027-03-02T09:00:00Z')
const meeting: Meeting = { id: 'M', post: 'O', title: 'Coopération', state: 'open', organiser: { id: 'A', name: 'Anne Bernard' }, created_at: '2027-03-01T09:00:00Z', waiting: 0, present: 0, profile: 'standard', role: 'host', locked: false, permanent: false }
const link = (id: string, more: Partial<Link> = {}): Link => ({
  id, kind: 'personal', role: 'guest', label: 'ines@mne.example', guest_name: 'Inês', uses: 0, expires_at: '2027-03-09T09:00:00Z', created_at: '2027-03-01T09:00:00Z', unbound: false, binding: 'none', pin: true, ...more,
})

beforeAll(async () => {
  await activate('fr')
  await loadAllWords()
})
beforeEach(() => {
  const kept = new Map<string, string>()
  vi.stubGlobal('localStorage', { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value), removeItem: (key: string) => kept.delete(key) })
  vi.stubGlobal('location', { origin: 'https://meet.example', search: '' })
})
afterEach(() => vi.unstubAllGlobals())

describe('a cell', () => {
  it.each([
    ['=HYPERLINK("http://x")', `"'=HYPERLINK(""http://x"")"`],
    ['+33 1', `'+33 1`],
    ['-1', `'-1`],
    ['@SUM(A1)', `'@SUM(A1)`],
    ['\t=1', `"'\t=1"`],
    ['\r=1', `"'\r=1"`],
    [' =1', `' =1`],
    ['＝1', `'＝1`],
    ['a=b', 'a=b'],
    ['d’Arc; Jeanne', '"d’Arc; Jeanne"'],
    ['a\nb', '"a\nb"'],
    ['', ''],
  ])('of %j is inert', (text, written) => expect(cell(text)).toBe(written))
})

describe('the files', () => {
  it('begin with a mark of UTF-8 and are divided as the language wants', () => {
    expect(csv([['a', 'b']], 'fr')).toBe('\ufeffa;b\r\n')
    expect(csv([['a', 'b']], 'en')).toBe('\ufeffa,b\r\n')
  })

  it('never hold an address and a PIN together, nor a secret among the guests', async () => {
    const secret = newSecret()
    keepSecret('L', secret)
    keepPIN('L', '482915')
    const links = [link('L', { language: 'en-GB', valid_from: '2027-03-03T09:00:00Z' }), link('elsewhere'), link('gone', { revoked_at: '2027-03-01T10:00:00Z' })]
    keepSecret('gone', secret)
    const [guests, invitations, codes] = [guestsFile(links, t, 'fr'), await invitationsFile(meeting, links, t, 'fr', wordsIn, now), codesFile(links, t, 'fr', now)]
    expect(guests).not.toMatch(/482.?915/)
    expect(guests).not.toContain(secret)
    expect(invitations).toContain(`https://meet.example/i/L#${secret}`)
    expect(invitations).toContain('Anne Bernard invites you') // in the guest's own language
    expect(invitations).not.toMatch(/482.?915/)
    expect(invitations.match(/\/i\//g)).toHaveLength(1)
    expect(codes).toContain('482\u00a0915')
    expect(codes).not.toContain(secret)
    expect(codes).not.toContain('/i/')
  })

  it('defuse what a guest is called', async () => {
    const links = [link('L', { guest_name: '=1+1', label: '@x', organisation: '-y' })]
    keepSecret('L', newSecret())
    for (const file of [guestsFile(links, t, 'fr'), await invitationsFile(meeting, links, t, 'fr', wordsIn, now)]) {
      expect(file).toContain("'=1+1;'-y;'@x")
    }
  })
})
