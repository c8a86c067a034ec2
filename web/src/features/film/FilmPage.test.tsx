// @vitest-environment happy-dom
// What a film's page says and where the focus is while its states follow one another, and where its download is refused.
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { act, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { activate, loadAllWords } from '@/i18n'
import { loadFilmWords } from '@/i18n/film'
import { FilmPage } from './FilmPage'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
vi.mock('@/features/meeting', () => ({ AgentFrame: ({ children }: { children: ReactNode }) => children }))
// What plays needs a browser.
vi.mock('./Player', () => ({ Player: () => null }))

const made = { take: 1, type: 'video/mp4', layout: 'grid', format: 'mp4', bytes: 2_000_000, length: 3, at: '2027-03-02T10:00:00Z' }
type Film = { state: string; reason?: string; layout: string; format: string; made?: typeof made }
const one = { id: 'r1', state: 'stopped', from: '2027-03-02T10:00:00Z', by: 'Anne', purpose: 'Compte rendu', people: [], parts: [], may: ['watch', 'share'] }
let film: Film
/** What the server answers to whoever takes the film, or why it does not. */
let gives: () => Promise<Response>

beforeEach(async () => {
  await activate('fr')
  await loadAllWords()
  await loadFilmWords()
  gives = () => Promise.resolve(new Response(null))
  vi.stubGlobal('fetch', (address: string, { method }: { method: string }) => {
    if (method === 'HEAD') return gives()
    if (address.endsWith('/film/again')) film = { ...film, state: 'queued' }
    const answer = address.endsWith('/chapters') ? { chapters: [] } : { recordings: [{ meeting: 'm1', title: 'Coopération', recording: { ...one, film } }] }
    return Promise.resolve(new Response(JSON.stringify(answer)))
  })
})
afterEach(() => {
  vi.useRealTimers()
  document.body.replaceChildren()
})

const settle = () => act(async () => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve))
})
const at = () => document.activeElement?.textContent
async function press(name: string | RegExp) {
  const button = [...document.querySelectorAll('button')].find(({ textContent }) => (typeof name === 'string' ? textContent === name : name.test(textContent)))
  if (!button) throw new Error(`no button ${String(name)}: ${document.body.textContent}`)
  button.focus()
  act(() => button.click())
  await settle()
}

async function openPage() {
  const client = new QueryClient()
  const root = createRoot(document.body.appendChild(document.createElement('div')))
  act(() => root.render(<QueryClientProvider client={client}><FilmPage {...({ meetingID: 'm1', recordingID: 'r1' } as Parameters<typeof FilmPage>[0])} /></QueryClientProvider>))
  await settle()
  return {
    become: async (now: Film) => {
      film = now
      await act(() => client.invalidateQueries())
      await settle()
    },
    end: () => act(() => root.unmount()),
  }
}

it('the focus goes to the heading of the state that takes the place of a control, and to the page’s once the film is there', async () => {
  const of = { layout: 'grid', format: 'mp4' }
  film = { state: 'failed', reason: 'interrupted', ...of }
  const page = await openPage()
  expect(at(), 'the page’s own, as on every page').toBe('Coopération')
  await press('Réessayer')
  expect(at()).toBe('Le film attend son tour')
  await page.become({ state: 'running', ...of })
  expect(at()).toBe('Le film est en préparation')
  await page.become({ state: 'done', made, ...of })
  expect(at()).toBe('Coopération')
  page.end()
})

it.each([
  [401, 'Cela n’a pas marché.'], [403, 'Vous n’avez pas le droit'], [404, 'Cet enregistrement n’est plus là'], [503, 'Cela n’a pas marché.'], [0, 'Le serveur ne répond pas'],
])('a download that is refused (%i) says so on the page, which stays', async (status, words) => {
  film = { state: 'done', made, layout: 'grid', format: 'mp4' }
  const page = await openPage()
  const taken: string[] = []
  const click = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    taken.push(`${this.getAttribute('href') ?? ''} ${this.hasAttribute('download')}`)
  })
  const before = location.href
  gives = () => (status === 0 ? Promise.reject(new TypeError('Failed to fetch')) : Promise.resolve(new Response(null, { status })))
  await press(/^Télécharger le film/)
  await press('Télécharger')
  expect([taken, location.href]).toEqual([[], before])
  expect(document.querySelector('[role="alert"]')?.textContent).toContain(words)
  gives = () => Promise.resolve(new Response(null))
  await press(/^Télécharger le film/)
  await press('Télécharger')
  expect(taken).toEqual(['/api/v1/meetings/m1/recordings/r1/film?save=true true'])
  expect(document.querySelector('[role="alert"]')).toBe(null)
  click.mockRestore()
  page.end()
})
