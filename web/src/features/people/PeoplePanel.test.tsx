// @vitest-environment happy-dom
import { act } from 'react'
import { createRoot } from 'react-dom/client'
import { afterEach, expect, it, vi } from 'vitest'
import type { Person, View } from '@/call/live'
import { activate, loadAllWords } from '@/i18n'
import { unmoderated } from '@/call/moderation'
import { Store } from '@/api'
import { PeoplePanel } from './PeoplePanel'
import { VolumeDialog } from './VolumeDialog'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
afterEach(() => {
  vi.restoreAllMocks()
  document.body.replaceChildren()
})

const person = (name: string, hand: number) => ({ identity: name, name, organisation: '', role: 'guest', self: false, hand, micOn: true, speaking: false }) as Person

async function shown(node: React.ReactNode) {
  await activate('fr')
  await loadAllWords()
  const root = createRoot(document.body.appendChild(document.createElement('div')))
  await act(async () => {
    root.render(node)
    await Promise.resolve()
  })
  return root
}

it('lists nobody but those who are searched, among the raised hands too', async () => {
  const root = await shown(<PeoplePanel people={[person('Inês', 1), person('Luc', 2), person('Maria', 0)]} moderation={unmoderated} view={{ pins: [], silenced: [] }} menuOf={() => []} />)
  const names = (of: string) => [...document.querySelectorAll(`${of} .who bdi:first-child`)].map((name) => name.textContent)
  expect([names('.hands'), names('.people:not(.hands)')]).toEqual([['Inês', 'Luc'], ['Inês', 'Luc', 'Maria']])
  const field = document.querySelector('input')
  await act(async () => {
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(field, 'luc')
    field?.dispatchEvent(new Event('input', { bubbles: true }))
    await Promise.resolve()
  })
  expect([names('.hands'), names('.people:not(.hands)')]).toEqual([['Luc'], ['Luc']])
  act(() => root.unmount())
})

it.each([[true, 1], [false, 0]])('a browser whose volume is the page’s own (%s) has %i sliders for it', async (settable, sliders) => {
  if (!settable) vi.spyOn(HTMLMediaElement.prototype, 'volume', 'set').mockImplementation(() => undefined)
  const view = { state: new Store({ volumes: {}, silenced: [] }) } as unknown as View
  const root = await shown(<VolumeDialog person={person('Luc', 0)} view={view} onClose={() => undefined} />)
  expect(document.querySelectorAll('input[type="range"]')).toHaveLength(sliders)
  expect(document.body.textContent.includes('le volume se règle avec ses propres touches')).toBe(!settable)
  act(() => root.unmount())
})
