import fs from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AuditEvent } from '@/api'
import { activate, languages, loadAllWords, t } from '@/i18n'
import { loadAdminWords } from '@/i18n/admin'
import { readPO } from '../../../scripts/po.ts'
import { groupNames, groupOf, groups } from './acts'
import { auditFile } from './auditFile'
import { asked, everything, readFilters, writeFilters } from './filters'
import { inWords, sentenceOf } from './sentence'

const source = new URL('../../../..', import.meta.url)
const acts = [...fs.readFileSync(new URL('signaling/audit/acts.go', source), 'utf8').matchAll(/Act\s+= "([a-z_]+\.[a-z_]+)"/g)].map(([, act]) => act ?? '')
const listed = groupNames.flatMap((name) => groups[name])

describe('the acts of the trail', () => {
  it('are all found', () => expect(acts.length).toBeGreaterThan(70))
  it('are in one group each, and nothing else is', () => expect([...listed].sort()).toEqual([...acts].sort()))
  it.each(Object.keys(languages))('have a sentence each in %s', (lang) => {
    const texts = readPO(fs.readFileSync(new URL(`web/src/i18n/locales/${lang}.po`, source), 'utf8'))
    expect(acts.filter((act) => !texts[sentenceOf(act)])).toEqual([])
  })
})

describe('filters', () => {
  it('survive the page’s address', () => {
    const filters = { acts: ['knock.admitted', 'sign_in.refused'], actor: 'agent', meeting: 'm-1', link: 'l_2', guest: 'p_3', from: '2027-03-01', to: '2027-03-02' }
    expect(readFilters(writeFilters(filters, 'dakar'))).toEqual(filters)
    expect(writeFilters(everything, '')).toBe('')
  })
  it('leave out of an address what cannot be one', () => {
    expect(readFilters('?act=<b>,knock.admitted,x&actor=%22&meeting=a%20b&from=hier&to=2027-99-99')).toEqual({ ...everything, acts: ['knock.admitted'] })
  })
  it('ask for whole days of the reader, also where the clocks change', () => {
    const query = asked({ ...everything, from: '2027-03-27', to: '2027-03-28' })
    const since = new Date(query.get('since') ?? ''), until = new Date(query.get('until') ?? '')
    expect([since.getHours(), since.getDate(), until.getHours(), until.getDate()]).toEqual([0, 27, 0, 29])
  })
  it('know the group that acts make', () => {
    expect(groupOf([...groups.lobby].reverse())).toBe('lobby')
    expect(groupOf(['knock.admitted'])).toBeUndefined()
  })
})

const event = (over: Partial<AuditEvent>): AuditEvent => ({ seq: 7, time: '2027-03-02T09:00:00Z', act: 'knock.admitted', actor: { kind: 'agent', id: 'a' }, subjects: { knock: 'k' }, hash: 'ff', ...over })
const names = { a: 'Anne Bernard', k: 'Inês' }

describe('an act in words', () => {
  beforeAll(async () => {
    await activate('en')
    await loadAllWords()
    await loadAdminWords()
  })
  it.each<[Partial<AuditEvent>, string]>([
    [{}, 'Anne Bernard let Inês in.'],
    [{ subjects: { knock: 'gone' } }, 'Anne Bernard let somebody whose name is gone in.'],
    [{ act: 'knock.waiting', actor: { kind: 'guest', id: 'v' }, texts: { name: 'Rui' } }, 'Rui asked to enter.'],
    [{ act: 'account.created', texts: { name: 'Luc', email: 'luc@a.example' }, subjects: { account: 'x' } }, 'Anne Bernard created an account: Luc.'],
    [{ act: 'meeting.ended', actor: { kind: 'server' }, subjects: {} }, 'The server ended the meeting.'],
    [{ act: 'knock.teleported' }, 'knock.teleported'],
  ])('%o', (over, words) => expect(inWords(event(over), names, t)).toBe(words))
  it('is inert in a table', () => {
    const file = auditFile([event({ texts: { name: '=HYPERLINK("http://x")' }, subjects: { knock: 'k2' } })], { ...names, k2: '=1+1' }, t, 'en')
    expect(file.split('\r\n')[1]).toContain('Anne Bernard let =1+1 in.')
    expect(auditFile([event({ act: 'knock.waiting', actor: { kind: 'guest' }, texts: { name: '=1+1' } })], {}, t, 'en').split('\r\n')[1]).toContain(`,'=1+1 asked to enter.,`)
  })
})
