import fs from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { activate, languages, loadAllWords, t, type Lang } from '@/i18n'
import { loadRecordingWords } from '@/i18n/recordings'
import type { Report } from './messages'
import { verdictOf } from './verdict'

// What the program says of recordings that are not as they were written: its own golden files.
const folder = new URL('../../../../recorder/opening/testdata/', import.meta.url)
const reports = Object.fromEntries(fs.readdirSync(folder).map((file) => [file.replace('.json', ''), JSON.parse(fs.readFileSync(new URL(file, folder), 'utf8')) as Report]))

describe('what verifying found', () => {
  beforeAll(async () => {
    await activate('fr')
    await loadAllWords()
    await loadRecordingWords()
  })
  it('is one sentence', () => {
    expect(Object.fromEntries(Object.entries(reports).map(([name, report]) => [name, [verdictOf(report).tone, t(verdictOf(report).id, { n: verdictOf(report).n })].join(' ')]))).toEqual({
      altered: 'danger L’enregistrement n’est pas tel qu’il a été écrit\u00a0: 1 anomalie',
      'first-missing': 'danger L’enregistrement n’est pas tel qu’il a été écrit\u00a0: 3 anomalies',
      forged: 'danger La clé de serveur donnée n’est pas celle qui a signé l’enregistrement\u00a0: rien ne dit s’il est entier. Choisissez celle du serveur qui a enregistré (node-key.json).',
      nothing: 'warn Ce qui est là est tel que cela a été écrit.',
      truncated: 'danger L’enregistrement n’est pas tel qu’il a été écrit\u00a0: 1 anomalie',
      twice: 'danger L’enregistrement n’est pas tel qu’il a été écrit\u00a0: 1 anomalie',
      unclosed: 'warn Ce qui est là est tel que cela a été écrit.',
    })
    const whole = { ...reports['unclosed'], unclosed: undefined } as unknown as Report
    expect([verdictOf(whole).tone, verdictOf({ ...whole, node: '' }).tone]).toEqual(['ok', 'warn'])
    const [one] = whole.parts
    if (!one) throw new Error('no part')
    const lone = (part: number) => verdictOf({ ...whole, parts: [{ ...one, part }] })
    expect(lone(1)).toMatchObject({ tone: 'ok', id: 'opening.whole' })
    expect(t(lone(3).id, { ...lone(3) })).toBe('La partie 3 est telle qu’elle a été écrite, mais elle est seule : les parties d’avant manquent.')
    expect(lone(3).tone).toBe('warn')
  })
  it('has a word for each finding in every language', async () => {
    for (const lang of Object.keys(languages) as Lang[]) {
      await activate(lang)
      for (const report of Object.values(reports)) for (const { kind } of report.findings) expect(t(`opening.kind.${kind}`), kind).not.toMatch(/^opening/)
    }
  })
})
