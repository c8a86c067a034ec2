// @vitest-environment happy-dom
// How long one has been away decides what is said of it: nothing, a banner with the countdown, a page with advice.
import { act } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Phase } from '@/call/live'
import { activate, loadAllWords } from '@/i18n'
import { AwayPage, Reconnecting, useLongAway } from './Reconnecting'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)

const retry = vi.fn()

function Screen({ phase }: { phase: Phase }) {
  const long = useLongAway(phase)
  if (phase.is !== 'reconnecting') return null
  return long ? <AwayPage phase={phase} retry={retry} leave={vi.fn()} /> : <Reconnecting phase={phase} retry={retry} />
}

let root: Root
const show = (phase: Phase) => act(async () => Promise.resolve(root.render(<Screen phase={phase} />)))
const pass = (milliseconds: number) => act(() => vi.advanceTimersByTimeAsync(milliseconds))
const text = () => document.body.textContent.replaceAll('\u00a0', ' ')
const button = () => [...document.querySelectorAll('button')].find((one) => one.textContent === 'Réessayer maintenant')

beforeEach(async () => {
  await activate('fr')
  await loadAllWords()
  vi.useFakeTimers()
  root = createRoot(document.body.appendChild(document.createElement('div')))
})
afterEach(() => {
  act(() => root.unmount())
  vi.useRealTimers()
})

it('says nothing for two seconds, then when the next try is, and lets one hurry it from the second on', async () => {
  const since = Date.now()
  await show({ is: 'reconnecting', since, tries: 0, retryAt: since + 5_000 })
  await pass(1_500)
  expect(text()).toBe('')
  await pass(1_000)
  expect(text()).toContain('Connexion perdue')
  expect(text()).toContain('Nouvel essai dans 3 s')
  expect(button()).toBeUndefined()
  await pass(3_000)
  expect(text()).toContain('Nouvel essai en cours…')
  await show({ is: 'reconnecting', since, tries: 1, retryAt: Date.now() + 4_000 })
  await pass(500)
  expect(text()).toContain('Nouvel essai dans 4 s')
  act(() => button()?.click())
  expect(retry).toHaveBeenCalledOnce()
})

it('gives advice on a page of its own after a minute, and no longer once one is back', async () => {
  const since = Date.now()
  await show({ is: 'reconnecting', since, tries: 4, retryAt: null })
  await pass(59_000)
  expect(document.querySelector('h1')).toBeNull()
  await pass(1_500)
  expect(document.querySelector('h1')?.textContent).toBe('Connexion perdue')
  expect(text()).toContain('Essayez un autre réseau')
  await show({ is: 'live', since: Date.now() })
  expect(text()).toBe('')
  await show({ is: 'reconnecting', since: Date.now(), tries: 0, retryAt: null })
  await pass(3_000)
  expect(document.querySelector('h1')).toBeNull()
})
