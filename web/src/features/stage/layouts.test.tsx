// @vitest-environment happy-dom
// A picture that changes its place on the page keeps its element, or it is dark until the next frame; and a stage without
// pictures says why.
import { RoomEvent, Track } from 'livekit-client'
import { act } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { setUp, type FakeRoom, type FakeTrack } from '@/call/fake'
import type { Call } from '@/call/live'
import { activate, loadAllWords } from '@/i18n'
import { Stage } from './Stage'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
vi.stubGlobal('ResizeObserver', class {
  observe() {}
  disconnect() {}
})

let root: Root
let call: Call
let room: FakeRoom

beforeEach(async () => {
  await activate('fr')
  await loadAllWords()
  Object.defineProperty(navigator, 'mediaDevices', { configurable: true, value: {} })
  vi.spyOn(Element.prototype, 'getBoundingClientRect').mockReturnValue({ width: 1200, height: 800 } as DOMRect)
  ;({ call, room } = setUp({ mic: true, cam: true }))
  root = createRoot(document.body.appendChild(document.createElement('div')))
  await act(async () => {
    root.render(<Stage call={call} title="Réunion" />)
    call.start()
    await new Promise((done) => setTimeout(done))
  })
})
afterEach(() => {
  act(() => root.unmount())
  vi.restoreAllMocks()
})

const cameras = () => [room.localParticipant, ...room.remoteParticipants.values()].flatMap((one) => (one.getTrackPublication(Track.Source.Camera)?.track as FakeTrack | undefined) ?? [])
const counted = () => ({ attached: cameras().reduce((n, track) => n + track.attach.mock.calls.length, 0), detached: cameras().reduce((n, track) => n + track.detach.mock.calls.length, 0) })

/** How often pictures were attached and detached by a change. */
async function by(change: () => unknown) {
  const before = counted()
  await act(async () => {
    await change()
    await new Promise((done) => setTimeout(done))
  })
  const after = counted()
  return { attached: after.attached - before.attached, detached: after.detached - before.detached }
}

async function comes(name: string) {
  await by(async () => {
    const person = room.add(name.toLowerCase(), name, 1)
    await person.setCameraEnabled(true)
    room.emit(RoomEvent.TrackSubscribed, {}, {}, person)
  })
}

const none = { attached: 0, detached: 0 }

it('keeps every element through the layouts; one who stands in two places has two', async () => {
  await comes('Anne')
  await comes('Bruno')
  expect(counted()).toEqual({ attached: 3, detached: 0 })
  const elements = () => [...document.querySelectorAll('.tile video')]
  const first = new Set(elements())
  expect(await by(() => call.view.setLayout('speaker'))).toEqual({ attached: 1, detached: 0 })
  expect(await by(() => call.view.setLayout('grid'))).toEqual({ attached: 0, detached: 1 })
  expect(await by(() => call.view.togglePin('bruno'))).toEqual(none)
  expect(await by(() => call.view.setLayout('auto'))).toEqual(none)
  expect(document.querySelector('.spotlight')).not.toBeNull()
  expect(await by(() => call.view.setSelfView('small'))).toEqual(none)
  expect(await by(async () => {
    await room.remoteParticipants.get('anne')?.setScreenShareEnabled(true)
    room.emit(RoomEvent.TrackSubscribed, {}, {}, {})
  })).toEqual(none)
  expect(document.querySelector('.shared')).not.toBeNull()
  expect(elements().filter((element) => !first.has(element)).length).toBeLessThanOrEqual(1)
  // Only what is on the page is attached.
  expect(await by(() => call.view.setSelfView('hidden'))).toEqual({ attached: 0, detached: 1 })
})

it('says that one is alone where one does not see oneself, and shows oneself again', async () => {
  expect(document.querySelector('[data-testid="alone"]')).toBeNull()
  await by(() => call.view.setSelfView('hidden'))
  const empty = document.querySelector('[data-testid="alone"]')
  expect(empty?.textContent).toContain('Il n’y a que vous pour l’instant.Votre image est masquée pour vous.')
  await by(() => empty?.querySelector('button')?.click())
  expect(document.querySelector('[data-testid="alone"]')).toBeNull()
  expect(document.querySelectorAll('.tile video')).toHaveLength(1)
})
