import fs from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import type { HealthFinding, ServerHealth } from '@/api'
import { activate, languages, loadAllWords, t, type Lang } from '@/i18n'
import { loadAdminWords } from '@/i18n/admin'
import { areasOf, figure, forSupport, isAdvised, remedyOf, sentenceOf, summaryOf } from './findings'

// What the rules of the server find, case by case, as they themselves wrote it down.
const cases = JSON.parse(fs.readFileSync(new URL('../../../../signaling/health/testdata/findings.golden.json', import.meta.url), 'utf8')) as { case: string; findings: HealthFinding[] }[]
const all = cases.flatMap(({ findings }) => findings)
const well = cases[0]?.findings ?? []
const codes = [...new Set(all.map(({ code }) => code))]

describe.each(Object.keys(languages) as Lang[])('what is found, in %s', (lang) => {
  beforeAll(async () => {
    await activate(lang)
    await loadAllWords()
    await loadAdminWords()
  })
  it('has a sentence with all its figures', () => {
    expect(codes.length).toBeGreaterThan(35)
    for (const { code, values } of all) {
      const id = sentenceOf(code)
      const said = t(id, Object.fromEntries(values.map((value) => [value.name, figure(value, t, lang)])))
      expect(said, code).not.toBe(id)
      expect(said, code).not.toMatch(/[{}]|undefined|NaN/)
      // A figure that is not told would not be sent.
      for (const value of values) {
        if (!(value.name === 'share' && value.unit === 'percent')) expect(said, `${code}: ${value.name}`).toContain(figure(value, t, lang))
      }
      // The page sets its figures apart, as text: none is counted by.
      expect(t(id, Object.fromEntries(values.map(({ name }) => [name, 'figure']))), code).not.toContain('NaN')
    }
  })
  it('has a remedy wherever somebody is needed or advised', () => {
    for (const finding of all.filter(isAdvised)) expect(t(remedyOf(finding.code)), finding.code).not.toBe(remedyOf(finding.code))
  })
  it('names every area and level', () => {
    for (const { area, level } of all) for (const id of [`health.area.${area}`, `health.level.${level}`]) expect(t(id)).not.toBe(id)
  })
})

describe('figures', () => {
  beforeAll(() => activate('fr'))
  it.each<[Omit<HealthFinding['values'][number], 'name'>, string]>([
    [{ unit: 'bytes', number: 499_000_000 }, '499 Mo'],
    [{ unit: 'milliseconds', number: 4.25 }, '4,3 ms'],
    [{ unit: 'milliseconds', number: 640 }, '640 ms'],
    [{ unit: 'milliseconds', number: 1300 }, '1,3 s'],
    [{ unit: 'seconds', number: 3.04 }, '3 secondes'],
    [{ unit: 'seconds', number: 119 }, '119 secondes'],
    [{ unit: 'seconds', number: 300 }, '5 minutes'],
    [{ unit: 'seconds', number: 49 * 3600 }, '2 jours'],
    [{ unit: 'days', number: 1 }, '1 jour'],
    [{ unit: 'percent', number: 0.01 }, '0,01 %'],
    [{ unit: 'percent', number: 1.26 }, '1,3 %'],
    [{ unit: 'percent', number: 102.4 }, '102 %'],
    [{ unit: 'count', number: 90_000 }, '90 000'],
    [{ unit: 'text', text: '' }, 'non connue'],
  ])('%o', async (value, said) => {
    await loadAdminWords()
    expect(figure({ name: 'x', ...value }, t, 'fr').replace(/\s/g, ' ')).toBe(said)
  })
})

describe('the report', () => {
  const found = (level: HealthFinding['level'], area: HealthFinding['area'] = 'disk'): HealthFinding => ({ area, level, code: `${area}-${level}`, values: [] })
  it('says in one sentence how it stands', () => {
    expect(summaryOf(well)).toEqual({ level: 'fine', points: 0, unmeasured: 1 })
    expect(summaryOf([found('fine'), found('attention'), found('unknown')])).toEqual({ level: 'attention', points: 1, unmeasured: 1 })
    expect(summaryOf([found('attention'), found('broken')])).toEqual({ level: 'broken', points: 2, unmeasured: 0 })
  })
  it('puts the worst of an area first, and the areas as the server does', () => {
    const areas = areasOf([found('unknown', 'server'), found('fine'), found('unknown'), found('broken'), found('attention')])
    expect(areas.map(({ area, level }) => [area, level])).toEqual([['server', 'unknown'], ['disk', 'broken']])
    expect(areas[1]?.findings.map(({ level }) => level)).toEqual(['broken', 'attention', 'fine', 'unknown'])
    expect(areasOf([found('unknown'), found('fine')])[0]?.level).toBe('fine')
  })
  it('goes to support without what is nobody’s business', () => {
    const report: ServerHealth = { measured_at: '2027-03-02T09:00:00Z', findings: [
      { area: 'disk', level: 'broken', code: 'disk-data', values: [{ name: 'folder', unit: 'text', text: '/srv/secret' }, { name: 'free', unit: 'bytes', number: 499_000_000 }, { name: 'share', unit: 'percent', number: 1.2345 }] },
      { area: 'certificate', level: 'broken', code: 'certificate-name', values: [{ name: 'host', unit: 'text', text: 'meet.example' }] },
      { area: 'ways', level: 'fine', code: 'address-public', values: [{ name: 'addresses', unit: 'count', number: 2 }] },
      { area: 'clock', level: 'attention', code: 'clock-jumped', values: [{ name: 'at', unit: 'moment', at: '2027-03-02T08:00:00Z' }] },
    ] }
    expect(forSupport(report).split('\n')).toEqual([
      'Aparté health 2027-03-02T09:00:00Z',
      'BROKEN  disk  disk-data  folder=…  free=499000000 bytes  share=1.23 percent',
      'BROKEN  certificate  certificate-name  host=…',
      'FINE  ways  address-public  addresses=2',
      'ATTENTION  clock  clock-jumped  at=2027-03-02T08:00:00Z',
    ])
  })
})
