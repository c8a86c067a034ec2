import fs from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { part, readPO } from '../../scripts/po.ts'
import { activate, loadAllWords, preferredLang, t } from './index'

const source = new URL('..', import.meta.url)
const po = (lang: string) => readPO(fs.readFileSync(new URL(`i18n/locales/${lang}.po`, source), 'utf8'))
const fr = po('fr')
const en = po('en')
const code = fs
  .readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file) && !/\.test\./.test(file) && !file.endsWith('schema.d.ts'))
  .map((file) => fs.readFileSync(new URL(file, source), 'utf8'))
  .join('\n')

/** Ids written out in the code, and patterns of those put together. */
const families = new Set(Object.keys(fr).map((id) => id.split('.')[0]))
const literal = new Set([...code.matchAll(/['"]([a-z][\w]*(?:\.\w+)+)['"]/g)].map((match) => match[1] ?? '').filter((id) => families.has(id.split('.')[0])))
const patterns = [...code.matchAll(/`([a-z]\w*\.[\w.]*\$\{[^`]*)`/g)].filter((match) => families.has((match[1] ?? '').split('.')[0] ?? '')).map((match) => new RegExp(`^${(match[1] ?? '').replaceAll('.', '\\.').replace(/\$\{[^}]*\}/g, '\\w+')}$`))
const places = (text: string) => [...text.matchAll(/\{(\w+)[,}]/g)].map((match) => match[1]).filter((name) => Number.isNaN(Number(name))).sort()

describe('the catalogues', () => {
  it('have the same ids in every language', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(fr).sort())
  })
  it('have every id the code asks for', () => {
    expect([...literal].filter((id) => !(id in fr))).toEqual([])
    for (const pattern of patterns) expect(Object.keys(fr).filter((id) => pattern.test(id)), String(pattern)).not.toEqual([])
  })
  it('have no text that nothing shows', () => {
    expect(Object.keys(fr).filter((id) => !literal.has(id) && !patterns.some((pattern) => pattern.test(id)))).toEqual([])
  })
  it('fill the same places', () => {
    for (const [id, text] of Object.entries(fr)) expect(new Set(places(en[id] ?? '')), id).toEqual(new Set(places(text)))
  })
  it('are split in two without loss', () => {
    expect({ ...part(fr, 'door'), ...part(fr, 'rest') }).toEqual(fr)
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
    ['', 'en', ['fr'], 'en'],
    ['', null, ['de', 'en-GB', 'fr'], 'en'],
    ['?lang=xx', 'yy', ['zh'], 'fr'],
    ['?lang=__proto__', null, [], 'fr'],
  ] as const)('%s, kept %s, browser %j: %s', (query, kept, browser, lang) => {
    expect(preferredLang(query, kept, browser)).toBe(lang)
  })
})
