// @vitest-environment happy-dom
import { act } from 'react'
import { createRoot } from 'react-dom/client'
import { afterEach, expect, it, vi } from 'vitest'
import { Store } from '@/api'
import type { Call, CallState, RecordingTold } from '@/call/live'
import { activate, loadAllWords } from '@/i18n'
import { RecordingPart } from './RecordingPart'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
afterEach(() => document.body.replaceChildren())

const running: RecordingTold = { id: 'R1', state: 'running', by: 'Anne', purpose: 'Compte rendu', watchable: false, keepDays: 90, post: 'Dakar' }

it('closes what is open about a recording when that stops, and asks for no other', async () => {
  await activate('fr')
  await loadAllWords()
  const of = (recording: RecordingTold | null) => ({ phase: { is: 'live', since: 0 }, people: [], recording, recordable: true }) as unknown as CallState
  const state = new Store(of(null))
  const call = { state, onEvent: () => () => undefined, recording: () => Promise.resolve({ state: 'none' }) } as unknown as Call
  const onClose = vi.fn()
  const root = createRoot(document.body.appendChild(document.createElement('div')))
  const show = (recording: RecordingTold | null) => act(async () => {
    state.set(of(recording))
    root.render(<RecordingPart call={call} state={of(recording)} host open onClose={onClose} leave={() => undefined} />)
    await Promise.resolve()
  })
  await show(null)
  expect(onClose, 'where one asks').not.toHaveBeenCalled()
  await show(running)
  await show({ ...running, state: 'paused' })
  expect(onClose, 'while it goes on').not.toHaveBeenCalled()
  await show(null)
  expect(onClose).toHaveBeenCalledTimes(1)
  act(() => root.unmount())
})
