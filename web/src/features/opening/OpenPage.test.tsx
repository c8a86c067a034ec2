// @vitest-environment happy-dom
// Where the focus is, and what is said, while a recording is taken, verified, opened and shown: each step replaces the one before.
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { act } from 'react'
import { createRoot } from 'react-dom/client'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { activate, loadAllWords } from '@/i18n'
import { loadRecordingWords } from '@/i18n/recordings'
import { LiveRegions } from '@/ui'
import { OpeningError, type Opened, type Report } from './messages'
import { OpenPage } from './OpenPage'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)

const engine = vi.hoisted(() => ({ verify: vi.fn(), open: vi.fn() }))
vi.mock('./engine', () => ({
  Engine: class {
    verify = engine.verify
    open = engine.open
    end = () => undefined
  },
}))
// What plays needs a browser.
vi.mock('./Stage', () => ({ Stage: () => null }))
vi.mock('./Moments', () => ({ Moments: () => null }))
vi.mock('./Voices', () => ({ Voices: () => null }))
vi.mock('./Saving', () => ({ Saving: () => null }))

const part = { number: 1, name: 'part-1.tar', bytes: 4, closed: true }
const report: Report = { node: 'pavillon', parts: [{ name: part.name, part: 1, recording: 'r1', segments: 3, lost: 0 }], findings: [], more: 0, text: [] }
const opened = { index: { recording: 'r1', began: '2027-03-02T10:00:00Z', duration: 3, people: [], files: [], events: [] }, segments: 3, missing: 0 } as Opened
/** What comes of the part. */
let bytes = 4

beforeEach(async () => {
  bytes = 4
  await activate('fr')
  await loadAllWords()
  await loadRecordingWords()
  ;(window as unknown as { happyDOM: { setURL: (url: string) => void } }).happyDOM.setURL('https://pavillon.example/recordings/open?meeting=m1&recording=r1')
  vi.stubGlobal('fetch', (address: string) => Promise.resolve(
    address.includes('/parts/') ? new Response(new Uint8Array(bytes))
      : address.includes('/node-key') ? new Response('key')
        : new Response(JSON.stringify({ recordings: [{ meeting: 'm1', title: 'Coopération', recording: { id: 'r1', from: '2027-03-02T10:00:00Z', purpose: 'Compte rendu', parts: [part] } }] })),
  ))
})
afterEach(() => document.body.replaceChildren())

const settle = () => act(async () => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve))
})
const find = (of: string) => document.querySelector<HTMLElement>(of)
const at = () => document.activeElement?.textContent
const said = () => find('[data-testid="live-polite"]')?.textContent
const button = (name: string) => [...document.querySelectorAll('button')].find(({ textContent }) => textContent === name)
async function press(name: string) {
  const one = button(name)
  if (!one) throw new Error(`no button ${name}: ${document.body.textContent}`)
  one.focus()
  act(() => one.click())
  await settle()
}
async function typeKey() {
  const field = find('[name="keytext"]') as HTMLTextAreaElement
  // As somebody types: React would not notice the element's own property.
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value')?.set?.call(field, 'AGE-SECRET-KEY-PQ-1')
  act(() => void field.dispatchEvent(new Event('input', { bubbles: true })))
  await settle()
}

/** Something that the test ends when it has looked. */
function later<T>(): { promise: Promise<T>; done: (value: T) => void; failed: (error: Error) => void } {
  let [done, failed]: [(value: T) => void, (error: Error) => void] = [() => undefined, () => undefined]
  const promise = new Promise<T>((resolve, reject) => ([done, failed] = [resolve, reject]))
  return { promise, done, failed }
}

async function openPage() {
  const root = createRoot(document.body.appendChild(document.createElement('div')))
  act(() => root.render(<QueryClientProvider client={new QueryClient()}><LiveRegions /><OpenPage /></QueryClientProvider>))
  await settle()
  return () => act(() => root.unmount())
}

it('the focus goes to the heading of each step whose control has gone, and the verdict is said', async () => {
  const end = await openPage()
  const region = find('[data-testid="live-polite"]')
  expect([at(), said()], 'the page’s own, as on every page').toEqual(['Ouvrir un enregistrement', ''])
  let verifying = later<Report>()
  engine.verify.mockImplementation(() => verifying.promise)
  await press('Télécharger et vérifier')
  expect(at()).toBe('Vérification…')
  await press('Annuler')
  expect(at()).toBe('Ouvrir un enregistrement')
  verifying = later()
  await press('Télécharger et vérifier')
  verifying.done(report)
  await settle()
  expect(at()).toBe('Ce que dit la vérification')
  expect([find('[data-testid="live-polite"]') === region, said()], 'in a region that was there before').toEqual([true, 'Entier : tel qu’il a été écrit, et clos.'.replace(' :', '\u00a0:')])

  const opening = later<{ opened: Opened; files: [] }>()
  engine.open.mockImplementation(() => opening.promise)
  await typeKey()
  await press('Ouvrir et regarder')
  expect(at()).toBe('Ouverture…')
  opening.failed(new OpeningError({ code: 'not-for-us', detail: '' }))
  await settle()
  expect([at(), find('[role="alert"].note') !== null]).toEqual(['La clé des archives', true])
  engine.open.mockImplementation(() => Promise.resolve({ opened, files: [] }))
  await typeKey()
  await press('Ouvrir et regarder')
  expect(document.activeElement?.matches('h2.opening-told')).toBe(true)
  end()
})

it('a download that broke off is told as such, and is tried again at a press', async () => {
  const end = await openPage()
  engine.verify.mockReset()
  engine.verify.mockImplementation(() => Promise.resolve(report))
  bytes = 3
  await press('Télécharger et vérifier')
  expect(find('[role="alert"].note')?.textContent).toContain('Le téléchargement s’est interrompu avant la fin.')
  expect(engine.verify).not.toHaveBeenCalled()
  bytes = 4
  await press('Réessayer')
  expect([at(), engine.verify.mock.calls.length]).toEqual(['Ce que dit la vérification', 1])
  end()
})

it('the focus is taken from nobody who is elsewhere on the page', async () => {
  const end = await openPage()
  const verifying = later<Report>()
  engine.verify.mockImplementation(() => verifying.promise)
  await press('Télécharger et vérifier')
  const elsewhere = find('main a')
  elsewhere?.focus()
  verifying.done(report)
  await settle()
  expect([document.activeElement === elsewhere, find('[data-testid="found"]') !== null]).toEqual([true, true])
  end()
})
