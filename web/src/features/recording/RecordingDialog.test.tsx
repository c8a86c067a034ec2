// @vitest-environment happy-dom
// What a host reads of the post's room for recordings: before it is used up, and where it is.
import { act } from 'react'
import { createRoot } from 'react-dom/client'
import { afterEach, expect, it, vi } from 'vitest'
import { problemFrom } from '@/api/http'
import type { Consent, ConsentState } from '@/call/consent'
import type { RecordingTold } from '@/call/live'
import { activate, loadAllWords, type Lang } from '@/i18n'
import { RecordingDialog } from './RecordingDialog'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
afterEach(() => document.body.replaceChildren())

const asked: RecordingTold = { id: 'R1', state: 'asking', by: 'Anne', purpose: 'Compte rendu', watchable: false, keepDays: 90, post: 'Dakar' }
const consent = { look: () => undefined } as unknown as Consent
const none: ConsentState = { id: null, answer: null, answers: [], room: null, ended: null, busy: false, error: null }
const full = problemFrom(409, { type: 'urn:aparte:problem:recording-quota', used: 201e9, limit: 200e9 })

async function reads(lang: Lang, host: boolean, recording: RecordingTold | null, state: Partial<ConsentState>): Promise<{ notes: string[]; alerts: number; own: string }> {
  await activate(lang)
  await loadAllWords()
  const root = createRoot(document.body.appendChild(document.createElement('div')))
  await act(async () => {
    root.render(<RecordingDialog recording={recording} recordable consent={consent} own={{ ...none, id: recording?.id ?? null, ...state }} host={host} asked onClose={() => undefined} />)
    await Promise.resolve()
  })
  const plain = (text: string) => text.replace(/[\s\u200e\u200f]+/g, ' ').trim()
  const notes = [...document.querySelectorAll('.note')].map((note) => plain(note.textContent))
  const own = plain(document.querySelector('section [role="status"]')?.textContent ?? '')
  const alerts = document.querySelectorAll('[role="alert"]').length
  act(() => root.unmount())
  return { notes, alerts, own }
}

const room = { used: 160e9, limit: 200e9 }
it.each([
  ['fr', 'La place du poste pour les enregistrements est presque épuisée : 160 Go utilisés sur 200 Go. Au-delà, l’enregistrement s’arrêtera de lui-même.'],
  ['en', 'The post’s room for recordings is nearly used up: 160 GB of 200 GB. Beyond that, recording stops by itself.'],
  ['ar', 'أوشكت مساحة المركز المخصصة للتسجيلات على النفاد: 160 غ.ب من 200 غ.ب. بعد ذلك يتوقف التسجيل تلقائيًا.'],
] as const)('a host who asked is told in %s that the room is nearly used up', async (lang, note) => {
  expect(await reads(lang, true, asked, { room })).toMatchObject({ notes: [note], alerts: 0 })
})

it.each([
  ['fr', 'Le poste n’a plus de place pour un enregistrement : 201 Go utilisés sur 200 Go. Supprimez d’anciens enregistrements, ou adressez-vous à votre administrateur.'],
  ['en', 'The post has no room for another recording: 201 GB of 200 GB are used. Delete old recordings, or ask your administrator.'],
  ['ar', 'لم يبقَ لدى المركز مساحة لتسجيل آخر: استُخدم 201 غ.ب من 200 غ.ب. احذفوا تسجيلات قديمة أو راجعوا المسؤول لديكم.'],
] as const)('a host who may not ask, start or resume for want of room reads so in %s', async (lang, note) => {
  for (const recording of [null, asked, { ...asked, state: 'paused' as const }]) expect(await reads(lang, true, recording, { error: full })).toMatchObject({ notes: [note], alerts: 1 })
})

it('whoever is asked reads nothing of it', async () => {
  expect((await reads('fr', false, asked, { room })).notes).toEqual([])
})

it.each([
  ['agreed', 'Vous figurez dans l’enregistrement'], ['declined', 'Vous ne figurez pas dans l’enregistrement'],
  ['withdrawn', 'Vous ne figurez plus dans l’enregistrement. Ce qui a été enregistré avant y reste.'],
  [null, 'Vous n’avez pas répondu : vous ne figurez pas dans l’enregistrement.'],
] as const)('whoever has answered %s reads what that means', async (answer, said) => {
  expect((await reads('fr', false, { ...asked, state: 'running' }, { answer })).own).toBe(said)
})
