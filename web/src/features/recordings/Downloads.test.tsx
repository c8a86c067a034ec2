// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { act } from 'react'
import { createRoot } from 'react-dom/client'
import { afterEach, expect, it, vi } from 'vitest'
import type { KeptRecording } from '@/api'
import { activate } from '@/i18n'
import { loadRecordingWords } from '@/i18n/recordings'
import { Downloads } from './Acts'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
  document.body.replaceChildren()
})

it('a part is asked for before it is taken, and a refusal is said on the page', async () => {
  await activate('fr')
  await loadRecordingWords()
  let status = 503
  const asked: string[] = []
  vi.stubGlobal('fetch', (address: string, { method }: RequestInit) => (asked.push(`${method} ${address}`), Promise.resolve(new Response(null, { status }))))
  const taken: string[] = []
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    taken.push(this.getAttribute('href') ?? '')
  })
  const one = { id: 'r1', parts: [{ number: 1, name: 'part-1.tar', bytes: 1, closed: true }, { number: 2, name: 'part-2.tar', bytes: 1, closed: false }] } as unknown as KeptRecording
  const client = new QueryClient()
  const again = vi.spyOn(client, 'invalidateQueries')
  const root = createRoot(document.body.appendChild(document.createElement('div')))
  await act(async () => Promise.resolve(root.render(<QueryClientProvider client={client}><Downloads place={{ meeting: 'm1', post: 'p1' }} one={one} /></QueryClientProvider>)))
  const links = [...document.querySelectorAll('a')]
  expect(links.map((link) => [link.textContent, link.download])).toEqual([['Télécharger', 'part-1.tar']])
  const at = links[0]?.getAttribute('href') ?? ''
  const press = () => act(async () => {
    links[0]?.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }))
    for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  })
  await press()
  expect(asked).toEqual([`HEAD ${at}`])
  expect(taken).toEqual([])
  expect(document.querySelector('[role=alert]')?.textContent).toBeTruthy()
  expect(again).toHaveBeenCalledTimes(1)
  status = 200
  await press()
  expect(taken).toEqual([at])
  expect(document.querySelector('[role=alert]')).toBeNull()
  await act(async () => Promise.resolve(root.unmount()))
})
