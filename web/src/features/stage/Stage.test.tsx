// @vitest-environment happy-dom
// News of one person is drawn on that person's tile alone: with thirty people of whom someone is always about to speak, a
// stage that draws every tile for each word is what makes an old machine stutter.
import { RoomEvent } from 'livekit-client'
import { act } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { setUp, type FakeParticipant, type FakeRoom } from '@/call/fake'
import { activate, loadAllWords } from '@/i18n'
import type { HostSide } from './hostSide'
import { Stage } from './Stage'

/** One entry for each time that a tile was drawn; every tile draws its picture. */
let drawn: string[] = []
vi.mock('./Media', () => ({
  Voices: () => null,
  Video: ({ label }: { label: string }) => {
    drawn.push(label.replace('Image : ', ''))
    return null
  },
}))

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
vi.stubGlobal('ResizeObserver', class {
  constructor(private readonly tell: (entries: unknown[]) => void) {}
  observe() {
    this.tell([{ contentRect: { width: 1200, height: 800 } }])
  }
  disconnect() {}
})

const names = ['Anne', 'Bruno', 'Carla', 'David']
const host: HostSide = {
  waiting: 0, firstWaiting: '', lobby: null, elsewhere: null, invite: vi.fn(), endForAll: vi.fn(),
  onOne: { mute: vi.fn(), askUnmute: vi.fn(), stopCamera: vi.fn(), stopShare: vi.fn(), spotlight: vi.fn(), remove: vi.fn(), sendBack: vi.fn(), rights: vi.fn(), ban: vi.fn(), letIn: vi.fn() },
  onAll: { muteAll: vi.fn(), askAll: vi.fn(), allow: vi.fn(), lock: vi.fn() },
}

let root: Root
let room: FakeRoom
let people: Record<string, FakeParticipant>
let show: (host: HostSide) => Promise<void>

beforeEach(async () => {
  await activate('fr')
  await loadAllWords()
  Object.defineProperty(navigator, 'mediaDevices', { configurable: true, value: {} })
  const { call, room: faked } = setUp({ mic: true, cam: true })
  room = faked
  people = Object.fromEntries(names.map((name, i) => [name, room.add(name.toLowerCase(), name, i)]))
  for (const person of Object.values(people)) {
    await person.setCameraEnabled(true)
    await person.setMicrophoneEnabled(true)
  }
  root = createRoot(document.body.appendChild(document.createElement('div')))
  show = (host) => act(async () => {
    root.render(<Stage call={call} title="Réunion" host={host} />)
    await Promise.resolve()
  })
  await show(host)
  await act(async () => {
    call.start()
    await new Promise((done) => setTimeout(done))
  })
  expect([...document.querySelectorAll('.tile')]).toHaveLength(names.length + 1)
  expect(new Set(drawn)).toEqual(new Set([...names, 'Votre image']))
  drawn = []
})
afterEach(() => act(() => root.unmount()))

const news = (change: () => void, event: RoomEvent = RoomEvent.ActiveSpeakersChanged) => act(async () => {
  change()
  room.emit(event, {}, room.localParticipant)
  await Promise.resolve()
})

it.each<[string, (bruno: FakeParticipant) => void]>([
  ['speaks', (bruno) => void (bruno.isSpeaking = true)],
  ['raises a hand', (bruno) => void (bruno.attributes = { 'aparte.hand': '1' })],
  ['turns the microphone off', (bruno) => void bruno.setMicrophoneEnabled(false)],
  ['is told to have another role', (bruno) => void (bruno.attributes = { 'aparte.role': 'cohost' })],
])('draws the tile of who %s, and no other', async (_what, change) => {
  await news(() => change(people['Bruno'] as FakeParticipant))
  expect(drawn).toEqual(['Bruno'])
})

it('draws the tile of who reacts, and no other', async () => {
  await act(async () => {
    room.say('aparte.reaction', { reactions: [{ identity: 'carla', reaction: 'thanks' }] })
    await Promise.resolve()
  })
  expect(drawn).toEqual(['Carla'])
})

it('draws no tile for what is written, for a knock, or for the timer', async () => {
  await news(() => void (room.metadata = '{"timer":{"ends_at":"2099-01-01T00:00:00Z","started_by":"Anne"}}'), RoomEvent.RoomMetadataChanged)
  await act(async () => {
    room.say('aparte.chat', { seq: 1, from: 'anne', from_name: 'Anne', to: 'everyone', text: 'bonjour', at: '2027-03-02T09:00:00Z' })
    await Promise.resolve()
  })
  await show({ ...host, waiting: 1, firstWaiting: 'Zoé' })
  expect(document.querySelector('.knocking')?.textContent).toContain('Zoé')
  expect(drawn).toEqual([])
})

it('draws every tile for what concerns every menu', async () => {
  await news(() => void (room.metadata = '{"forbidden":["speak"]}'), RoomEvent.RoomMetadataChanged)
  expect(new Set(drawn)).toEqual(new Set([...names, 'Votre image']))
})
