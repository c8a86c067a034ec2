// @vitest-environment happy-dom
import { act } from 'react'
import { createRoot } from 'react-dom/client'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { Store, type CallRecording } from '@/api'
import type { Call, CallState, RecordingTold } from '@/call/live'
import { activate, loadAllWords } from '@/i18n'
import { RecordingPart } from './RecordingPart'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
afterEach(() => document.body.replaceChildren())

const running: RecordingTold = { id: 'R1', state: 'running', by: 'Anne', purpose: 'Compte rendu', watchable: false, keepDays: 90, post: 'Dakar' }

beforeAll(async () => {
  await activate('fr')
  await loadAllWords()
})

it('closes what is open about a recording when that stops, and asks for no other', async () => {
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

describe('the focus', () => {
  /** A call with a control of its own, people, and a recording of which nothing is answered yet. */
  async function inCall({ recording = running, host = false, open = false }: { recording?: RecordingTold | null; host?: boolean; open?: boolean } = {}) {
    document.body.innerHTML = '<button id="mic"></button><main id="main" tabindex="-1"><div></div></main>'
    const of = (now: RecordingTold | null) => ({ phase: { is: 'live', since: 0 }, people: [], recording: now, recordable: true }) as unknown as CallState
    const state = new Store(of(recording))
    let server: CallRecording = { state: recording?.state ?? 'none', ...(recording ? { id: recording.id } : {}), answers: [] }
    const call = {
      state, onEvent: () => () => undefined,
      recording: (_method: string, path: string, body?: { answer?: string }) => {
        if (path === '/answer') server = { ...server, answer: body?.answer === 'agree' ? 'agreed' : 'declined' }
        return Promise.resolve(server)
      },
    } as unknown as Call
    const root = createRoot(document.querySelector('main div') ?? document.body)
    const show = (now: RecordingTold | null, answered?: 'agreed') => act(async () => {
      server = { state: now?.state ?? 'stopping', id: now?.id ?? running.id, answers: [], ...(answered ? { answer: answered } : {}), ...(now ? {} : { because: 'quota' }) }
      state.set(of(now))
      root.render(<RecordingPart call={call} state={of(now)} host={host} open={open} onClose={() => undefined} leave={() => undefined} />)
      await new Promise((resolve) => setTimeout(resolve))
    })
    await show(recording)
    const at = () => document.activeElement
    const focus = (one: Element | null | undefined) => {
      ;(one as HTMLElement).focus()
      expect(at()).toBe(one)
    }
    const button = (name: string) => [...document.querySelectorAll('button')].find(({ textContent }) => textContent === name)
    const press = (name: string) => act(async () => {
      focus(button(name))
      button(name)?.click()
      await new Promise((resolve) => setTimeout(resolve))
    })
    const asked = () => document.querySelector('[data-testid="rec-prompt"]') !== null
    const end = () => act(() => root.unmount())
    return { at, focus, button, press, asked, show, end, mic: document.getElementById('mic'), main: document.getElementById('main') }
  }

  it.each(['J’accepte', 'Je préfère ne pas y figurer'])('is where it was after the answer: %s', async (name) => {
    const { at, focus, press, asked, end, mic } = await inCall()
    focus(mic)
    await press(name)
    expect([asked(), at()]).toEqual([false, mic])
    end()
  })

  it('is with the people where what had it before is gone, or nothing had it', async () => {
    for (const gone of [true, false]) {
      const { focus, at, press, asked, end, mic, main } = await inCall()
      if (gone) focus(mic)
      focus(document.querySelector('.rec-read'))
      if (gone) mic?.remove()
      await press('J’accepte')
      expect([asked(), at()]).toEqual([false, main])
      end()
    }
  })

  it('is where it was, too, where the question goes by itself, and is taken from nobody who is elsewhere', async () => {
    const { at, focus, button, asked, show, end, mic } = await inCall()
    focus(mic)
    focus(button('J’accepte'))
    await show({ ...running, id: 'R2' }, 'agreed')
    expect([asked(), at()]).toEqual([false, mic])
    await show({ ...running, id: 'R3' })
    expect([asked(), at()]).toEqual([true, mic])
    await show(null)
    expect([asked(), at()]).toEqual([false, mic])
    end()
  })

  it('is with the people after it was read that a recording ended by itself', async () => {
    const { at, show, end, main } = await inCall({ host: true })
    await show(null)
    const close = document.querySelector<HTMLElement>('[data-testid="rec-ended"] button')
    close?.focus()
    act(() => close?.click())
    expect([document.querySelector('[data-testid="rec-ended"]'), at()]).toEqual([null, main])
    end()
  })

  it('stays in the dialog while a recording goes from one state to the next', async () => {
    const { at, focus, button, press, show, end } = await inCall({ recording: null, host: true, open: true })
    focus(button('Demander à chacun'))
    await show({ ...running, state: 'asking' })
    expect(at()).toBe(document.querySelector('[role="dialog"]'))
    await press('J’accepte')
    const answer = at()
    await show(running, 'agreed')
    expect([at(), at()?.textContent]).toEqual([answer, 'J’accepte'])
    focus(button('Suspendre'))
    for (const [state, word] of [['paused', 'Reprendre'], ['running', 'Suspendre'], ['interrupted', 'Reprendre']] as const) {
      await show({ ...running, state }, 'agreed')
      expect(at()?.textContent).toBe(word)
    }
    end()
  })
})
