import { beforeAll, describe, expect, it } from 'vitest'
import type { KeptMessage } from '@/api'
import { activate, loadAllWords, t } from '@/i18n'
import { inert, keptFileName, keptJSON, keptText } from './keptFile'

beforeAll(async () => {
  await activate('fr')
  await loadAllWords()
})

const at = '2027-03-02T09:00:00Z'
const message = (text: string, more: Partial<KeptMessage> = {}): KeptMessage => ({ seq: 1, from: 'p_1', from_name: 'Inês', role: 'guest', text, at, ...more })
const lines = (all: KeptMessage[], zone = 'Africa/Dakar') => keptText('Coopération', all, 90, { name: 'Dakar', zone }, t, 'fr').split('\r\n')

describe('the text file', () => {
  it('has who, what they were, when, and what they wrote', () => {
    const [title, says, empty, by, text] = lines([message('Bonjour')])
    expect(title).toBe('\ufeffMessages conservés\u00a0: Coopération')
    expect(says).toContain('1 message')
    expect(says).toContain('90 jours')
    expect(empty).toBe('')
    expect(by).toMatch(/^\[.*2027.*\] Inês \(Invité\)$/)
    expect(text).toBe('  | Bonjour')
  })
  it('has the time of the post beside, where it is another', () => {
    expect(lines([message('x')], 'Pacific/Kiritimati')[3]).toMatch(/ \/ .*23:00/)
    expect(lines([message('x')], Intl.DateTimeFormat().resolvedOptions().timeZone)[3]).not.toContain(' / ')
  })
  it('lets nothing that was typed begin a line', () => {
    const typed = ['=1+1', '\n=HYPERLINK("http://x")', 'a\r[2 mars 2027 10:00] Anne (Hôte)\r\n+1', '@SUM(A1)', '-1']
    const body = lines(typed.map((text) => message(text, { from_name: '=Inês' }))).slice(3, -1)
    for (const line of body) expect(line).toMatch(/^(\[\d| {2}\| )/)
    expect(body.filter((line) => line.startsWith('['))).toHaveLength(typed.length)
  })
  it('turns no direction and hides no sign', () => {
    expect(inert('Anne\u202egpj.exe\u2069\u200b\ufeff')).toBe('Anne[U+202E]gpj.exe[U+2069][U+200B][U+FEFF]')
    expect(inert('می\u200cخواهم 👩\u200d💻')).toBe('می\u200cخواهم 👩\u200d💻')
    expect(lines([message('x', { from_name: '\u202eennA' })])[3]).toContain('[U+202E]ennA')
    expect(lines([message('a\u2028b')])).toContain('  | a[U+2028]b')
  })
})

describe('the JSON file', () => {
  it('is the same text, and plain ASCII without HTML', () => {
    const all = [message('</script><b>é\u202e"\\ 👩', { from_name: '=Inês' })]
    const text = keptJSON({ id: 'M', title: '<Coopération>' }, all)
    expect(text).toMatch(/^[\n\x20-\x7e]*$/)
    expect(text).not.toMatch(/[<>&]/)
    expect(JSON.parse(text)).toEqual({ meeting: { id: 'M', title: '<Coopération>' }, messages: [{ seq: 1, at, from_name: '=Inês', role: 'guest', text: all[0]?.text }] })
  })
})

describe('the name of the file', () => {
  it.each([
    ['Coopération consulaire', 'messages-Cooperation-consulaire-2027-03-02.txt'],
    ['../../etc/passwd', 'messages-etc-passwd-2027-03-02.txt'],
    ['a\u202etxt.exe', 'messages-a-txt-exe-2027-03-02.txt'],
    ['CON', 'messages-CON-2027-03-02.txt'],
    ['<>:"/\\|?*', 'messages-2027-03-02.txt'],
    ['会議', 'messages-会議-2027-03-02.txt'],
    ['x'.repeat(200), `messages-${'x'.repeat(60)}-2027-03-02.txt`],
  ])('of %j is safe', (title, name) => expect(keptFileName(title, new Date(at), 'txt', t)).toBe(name))
})
