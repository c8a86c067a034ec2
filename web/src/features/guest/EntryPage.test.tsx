// @vitest-environment happy-dom
// Whoever types while the invitation is still on its way gets what they typed, once.
import { act } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { GuestView } from '@/api'
import { activate } from '@/i18n'
import { EntryPage } from './EntryPage'
import { fieldIDs } from './typed'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)

const view: GuestView = {
  status: 'entry', recognised_by: 'session',
  meeting: { title: 'Réunion', organiser: 'Anne Bernard', time_zone: 'UTC', state: 'open', sentence: { fr: 'Une phrase.', en: 'A sentence.' } },
  link: { id: 'l', kind: 'personal', pin: false, guest_name: 'Maria Oliveira', organisation: 'Câmara' },
} as unknown as GuestView

let root: Root
const field = (id: string) => document.getElementById(id) as HTMLInputElement
const arrives = (view: GuestView | null, typed = { name: '', organisation: '', focus: '' }) => act(async () => Promise.resolve(root.render(<EntryPage visit={null} view={view} typed={typed} />)))

/** As a keyboard does it: what is chosen gives way, and the caret stands behind. */
function type(input: HTMLInputElement, text: string): Promise<void> {
  return act(async () => {
    for (const letter of text) {
      const { selectionStart, selectionEnd } = input
      const before = input.value
      const next = before.slice(0, selectionStart ?? 0) + letter + before.slice(selectionEnd ?? 0)
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(input, next)
      input.setSelectionRange((selectionStart ?? 0) + 1, (selectionStart ?? 0) + 1)
      input.dispatchEvent(new Event('input', { bubbles: true }))
    }
    await Promise.resolve()
  })
}

beforeEach(async () => {
  await activate('fr')
  root = createRoot(document.body.appendChild(document.createElement('div')))
  await arrives(null)
})
afterEach(() => act(() => root.unmount()))

it('has the name of the invitation when nobody has typed', async () => {
  await arrives(view)
  expect(field(fieldIDs.name).value).toBe('Maria Oliveira')
  expect(field(fieldIDs.organisation).value).toBe('Câmara')
})

it('keeps what was typed before the invitation came', async () => {
  await type(field(fieldIDs.name), 'Mar')
  await arrives(view)
  await type(field(fieldIDs.name), 'ia')
  expect(field(fieldIDs.name).value).toBe('Maria')
})

it('lets the first letter take the place of a name that came into the field one stands in', async () => {
  field(fieldIDs.name).focus()
  await arrives(view)
  expect(field(fieldIDs.name).value).toBe('Maria Oliveira')
  await type(field(fieldIDs.name), 'Maria O.')
  expect(field(fieldIDs.name).value).toBe('Maria O.')
})

it('does not fill a field again that was emptied', async () => {
  await arrives(view)
  const name = field(fieldIDs.name)
  name.focus()
  name.select()
  await act(async () => {
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(name, '')
    name.dispatchEvent(new Event('input', { bubbles: true }))
    await Promise.resolve()
  })
  await arrives({ ...view })
  expect(name.value).toBe('')
})

it.each([
  ['Pacific/Kiritimati', true],
  [Intl.DateTimeFormat().resolvedOptions().timeZone, false],
  ['Europe/Atlantis', false],
])('tells the hour at the post in %s: %s', async (zone, told) => {
  await arrives({ ...view, meeting: { ...view.meeting, starts_at: '2027-03-02T09:00:00Z', time_zone: zone } })
  expect(document.body.textContent.includes('À l’heure du poste')).toBe(told)
})
