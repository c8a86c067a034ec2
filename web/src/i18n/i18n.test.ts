import fs from 'node:fs'
import { posix } from 'node:path'
import { compileMessage, type CompiledMessage } from '@lingui/message-utils/compileMessage'
import { beforeAll, describe, expect, it } from 'vitest'
import { part, readPO } from '../../scripts/po.ts'
import { day, hour } from './dates'
import { shortMoment } from './stamps'
import { activate, languages, loadAllWords, preferredLang, said, t, wordsIn, type Lang } from './index'

const source = new URL('..', import.meta.url)
const po = (lang: string) => readPO(fs.readFileSync(new URL(`i18n/locales/${lang}.po`, source), 'utf8'))
const langs = Object.keys(languages) as Lang[]
const fr = po('fr')
const others = langs.filter((lang) => lang !== 'fr').map((lang) => [lang, po(lang)] as const)
const read = (file: string) => fs.readFileSync(new URL(file, source), 'utf8')
const code = fs
  .readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file) && !/\.test\./.test(file) && !file.endsWith('schema.d.ts'))
  .map(read)
  .join('\n')

/** Ids written out in the code, and patterns of those put together. */
const families = new Set(Object.keys(fr).map((id) => id.split('.')[0]))
const literalsIn = (text: string) => [...text.matchAll(/['"]([a-z][\w]*(?:\.\w+)+)['"]/g)].map((match) => match[1] ?? '').filter((id) => families.has(id.split('.')[0]))
const patternsIn = (text: string) => [...text.matchAll(/`([a-z]\w*\.[\w.]*\$\{[^`]*)`/g)].filter((match) => families.has((match[1] ?? '').split('.')[0] ?? '')).map((match) => new RegExp(`^${(match[1] ?? '').replaceAll('.', '\\.').replace(/\$\{[^}]*\}/g, '\\w+')}$`))
const literal = new Set(literalsIn(code))
const patterns = patternsIn(code)
const wordsOf = (text: string) => [...literalsIn(text), ...Object.keys(fr).filter((id) => patternsIn(text).some((pattern) => pattern.test(id)))]

/** The modules that a page loads, now or later, from one on; types alone are not loaded. */
function reached(from: string, without: readonly string[]): string[] {
  const seen = new Set<string>()
  const visit = (file: string) => {
    if (seen.has(file) || without.includes(file)) return
    seen.add(file)
    for (const [, type, named, later] of read(file).matchAll(/^(?:import|export) (type )?[^']*?'([^']+)'|import\('([^']+)'\)/gm)) {
      const target = named ?? later ?? ''
      const path = target.startsWith('@/') ? target.slice(2) : target.startsWith('.') ? posix.join(posix.dirname(file), target) : ''
      const module = [path, `${path}.ts`, `${path}.tsx`, `${path}/index.ts`].find((one) => /\.tsx?$/.test(one) && fs.existsSync(new URL(one, source)))
      if (module && !type) visit(module)
    }
  }
  visit(from)
  return [...seen]
}
const places = (text: string) => [...text.matchAll(/\{(\w+)[,}]/g)].map((match) => match[1]).filter((name) => Number.isNaN(Number(name))).sort()

/** The forms of each count in a compiled message, those within others included. */
function pluralForms(message: CompiledMessage): string[][] {
  if (typeof message === 'string') return []
  return message.flatMap((part) => {
    if (!Array.isArray(part)) return []
    const [, kind, forms] = part
    if (kind !== 'plural' || typeof forms !== 'object') return []
    const texts = Object.entries(forms as Record<string, CompiledMessage>).filter(([form]) => form !== 'offset')
    return [texts.map(([form]) => form), ...texts.flatMap(([, text]) => pluralForms(text))]
  })
}

describe('the catalogues', () => {
  it('are those of the list of languages', () => {
    expect(fs.readdirSync(new URL('i18n/locales', source)).sort()).toEqual(langs.map((lang) => `${lang}.po`).sort())
  })
  it.each(others)('have the same ids in %s, in the same order', (_, texts) => {
    expect(Object.keys(texts)).toEqual(Object.keys(fr))
  })
  it('have every id the code asks for', () => {
    expect([...literal].filter((id) => !(id in fr))).toEqual([])
    for (const pattern of patterns) expect(Object.keys(fr).filter((id) => pattern.test(id)), String(pattern)).not.toEqual([])
  })
  it('have no text that nothing shows', () => {
    expect(Object.keys(fr).filter((id) => !literal.has(id) && !patterns.some((pattern) => pattern.test(id)))).toEqual([])
  })
  it.each(others)('fill the same places in %s', (_, texts) => {
    for (const [id, text] of Object.entries(fr)) expect(new Set(places(texts[id] ?? '')), id).toEqual(new Set(places(text)))
  })
  it.each(langs)('count in all the forms of %s, and in no others', (lang) => {
    // What the language tells apart in numbers that a screen may show; French has a form of its own for millions.
    const rules = new Intl.PluralRules(lang)
    const needed = new Set([...Array(1000).keys()].map((n) => rules.select(n)))
    let counted = 0
    for (const [id, text] of Object.entries(po(lang))) {
      for (const forms of pluralForms(compileMessage(text))) {
        counted++
        expect(new Set(forms.filter((form) => !/^\d+$/.test(form))), id).toEqual(needed)
      }
    }
    expect(counted).toBeGreaterThan(30)
  })
  it('are split in six without loss', () => {
    const parts = ['door', 'call', 'agents', 'admin', 'recordings', 'film'].map((name) => part(fr, name))
    expect(Object.assign({}, ...parts)).toEqual(fr)
    expect(parts.map((texts) => Object.keys(texts).length).reduce((a, b) => a + b)).toBe(Object.keys(fr).length)
  })
  it('have every word of a guest’s pages outside the agents’ part', () => {
    const files = reached('app/main.tsx', ['app/AgentApp.tsx'])
    // The walk reaches what is loaded later too, and nothing of the agents' alone.
    for (const file of ['features/stage/Stage.tsx', 'features/people/PeoplePanel.tsx', 'features/settings/pages.tsx', 'features/waiting/WaitingPage.tsx', 'features/guest/endings.tsx']) expect(files, file).toContain(file)
    for (const file of files) expect(file).not.toMatch(/^features\/(meeting|host|lobby|posts|signin)\//)
    const agents = part(fr, 'agents')
    expect(Object.keys(agents).length).toBeGreaterThan(500)
    for (const file of files) expect(wordsOf(read(file)).filter((id) => id in agents), file).toEqual([])
  })
  it('use Arabic signs in Arabic', () => {
    for (const [id, text] of Object.entries(po('ar'))) expect(text.replace(/\{\w+, plural,|fr, pt-BR|[a-z]+, [a-z]+/g, ''), id).not.toMatch(/[?,;][^\w]|[?;,]$|[٠-٩]/)
  })
  it('never ask French to elide before a name', () => {
    // "de Aude", "que Inès": which name begins with the sound of a vowel, no rule of ours tells.
    const bare = /\b(?:de|que|le|la) \{(?:who|whom|name|host|post|title|browser|gone|instead)\}/i
    for (const [id, text] of Object.entries(fr)) {
      expect(text, id).not.toMatch(bare)
      if (id.startsWith('audit.act.')) expect(text, id).not.toMatch(/(?:^| )à \{who/)
    }
  })
  it('keep French signs with their words', () => {
    for (const [id, text] of Object.entries(fr)) {
      expect(text.replace(/\{[^}]*\}/g, ''), id).not.toMatch(/ [;:?!»]|« /)
      expect(text, id).not.toMatch(/'/)
    }
  })
})

describe('words on the page', () => {
  beforeAll(async () => {
    await activate('fr')
    await loadAllWords()
  })
  it('count', () => {
    expect([0, 1, 2].map((n) => t('meetings.waiting', { n }))).toEqual(['0 personne attend', '1 personne attend', '2 personnes attendent'])
    expect(t('sr.knock', { n: 1, name: 'Maria' })).toBe('Maria demande à entrer.')
    expect([1, 90].map((days) => t('rec.what', { days, post: 'Dakar' }))).toEqual([expect.stringContaining('Conservation\u00a0: 1 jour. Poste\u00a0: Dakar.'), expect.stringContaining('90 jours.')])
  })
  it('count in Arabic, in digits of the west', async () => {
    await activate('ar')
    expect([0, 1, 2, 3, 11, 100].map((n) => t('meetings.waiting', { n }))).toEqual(['لا أحد ينتظر', 'شخص واحد ينتظر', 'شخصان ينتظران', '3 أشخاص ينتظرون', '11 شخصًا ينتظرون', '100 شخص ينتظرون'])
    expect((await wordsIn('ar-MA')).t('lobby.minutes', { n: 5 })).toBe('5 دقائق')
    expect([1, 2, 7, 30].map((days) => /الحفظ: ([^.]*)\./.exec(t('rec.what', { days, post: 'داكار' }))?.[1])).toEqual(['يوم واحد', 'يومان', '7 أيام', '30 يومًا'])
    const noon = new Date(2026, 10, 24, 15, 5)
    expect(day(noon, 'ar')).toBe('الثلاثاء، 24 نوفمبر')
    for (const lang of langs) expect(shortMoment(noon, lang), lang).toMatch(/2026/)
    await activate('fr')
  })
  it('tell hours from 0 to 23 in every language, and days in English as in Britain', () => {
    const [night, afternoon] = [new Date(2026, 10, 24, 0, 5), new Date(2026, 10, 24, 15, 5)]
    for (const lang of langs) expect([hour(night, lang), hour(afternoon, lang)], lang).toEqual(['00:05', '15:05'])
    expect([day(afternoon, 'en'), shortMoment(afternoon, 'en')]).toEqual(['Tuesday 24 November', '24 Nov 2026, 15:05'])
  })
  it('call the PIN of a link by that name in English, never a code', () => {
    const ofPIN = Object.entries(po('en')).filter(([id]) => /(?:^|\.)(?:no)?pin(?:\.|$)/.test(id))
    expect(ofPIN.length).toBeGreaterThan(20)
    for (const [id, text] of ofPIN) expect(text, id).not.toMatch(/\bcode/i)
  })
  it('change with the language, all of them', async () => {
    await activate('en')
    expect([t('entry.do'), t('ctl.leave.all')]).toEqual(['Ask to enter', 'End for all'])
    await activate('fr')
    expect([t('entry.do'), t('ctl.leave.all')]).toEqual(['Demander à entrer', 'Terminer pour tous'])
  })
})

describe('the first language', () => {
  it.each([
    ['?lang=en', 'fr', ['fr'], 'en'],
    ['', null, ['ar-MA', 'fr'], 'ar'],
    ['', 'en', ['fr'], 'en'],
    ['', null, ['de', 'en-GB', 'fr'], 'en'],
    ['?lang=xx', 'yy', ['zh'], 'fr'],
    ['?lang=__proto__', null, [], 'fr'],
  ] as const)('%s, kept %s, browser %j: %s', (query, kept, browser, lang) => {
    expect(preferredLang(query, kept, browser)).toBe(lang)
  })
})

describe('a text that people wrote', () => {
  it.each([
    [{ fr: 'Protégé', en: 'Protected' }, 'en', { lang: 'en', text: 'Protected' }],
    [{ fr: 'Protégé', ar: 'محمي' }, 'ar', { lang: 'ar', text: 'محمي' }],
    [{ fr: 'Protégé' }, 'ar', { lang: 'fr', text: 'Protégé' }],
    [{ de: 'Geschützt' }, 'ar', { lang: 'ar', text: '' }],
    [undefined, 'fr', { lang: 'fr', text: '' }],
  ] as const)('%j for %s: %j', (texts, lang, wanted) => {
    expect(said(texts, lang)).toEqual(wanted)
  })
})
