// A room and a server that never leave the process, for tests of the call and of what shows it.
import { EventEmitter } from 'node:events'
import { ConnectionQuality, ConnectionState, DisconnectReason, RoomEvent, Track, TrackEvent, type ReconnectPolicy, type Room } from 'livekit-client'
import { vi } from 'vitest'
import { Store, type MediaGrant } from '@/api'
import type { CallCalls } from '@/api/call'
import type { AudioEffect, Effects, VideoEffect } from './effects/processors'
import { defaultPreferences, type Preferences } from './preferences'
import { Call } from './session'

/** A local track with three layers, and what the browser says of how it gets through. */
export class FakeTrack {
  layers = [true, true, true]
  /** Layers that the server wants; null: it has not said. */
  wanted: boolean[] | null = [true, true, true]
  stats: object[] = []
  readonly attach = vi.fn()
  readonly detach = vi.fn()
  constructor(readonly source: Track.Source) {}
  getRTCStatsReport = () => Promise.resolve(new Map(this.stats.map((stat, i) => [i, stat])))
  readonly sender = {
    getParameters: () => ({ encodings: this.layers.map((active) => ({ active })) }),
    setParameters: vi.fn(({ encodings }: { encodings: { active: boolean }[] }) => {
      this.layers = encodings.map(({ active }) => active)
      return Promise.resolve()
    }),
  }
  refreshSubscribedCodecs = () => {
    if (this.wanted) this.layers = [...this.wanted]
    return Promise.resolve(this.wanted ? [] : undefined)
  }
  setPublishingQuality = () => void (this.layers = [true, true, true])
  private processor: { name: string } | undefined
  readonly mediaStreamTrack = { enabled: true, readyState: 'live', muted: false }
  getProcessor = () => this.processor
  setProcessor = vi.fn((processor: { name: string }) => ((this.processor = processor), Promise.resolve()))
  stopProcessor = vi.fn(() => ((this.processor = undefined), Promise.resolve()))
}

export class FakePublication extends EventEmitter {
  isMuted = false
  /** What the server was told of this track, as livekit-client tells it: by a listener that was there first. */
  readonly told: { priority: number }[] = []
  constructor(readonly source: Track.Source, readonly track: object = new FakeTrack(source)) {
    super()
    this.on(TrackEvent.UpdateSettings, (settings: { priority: number }) => this.told.push({ ...settings }))
  }
  get videoTrack() {
    return this.track
  }
  emitTrackUpdate = () => this.emit(TrackEvent.UpdateSettings, { priority: 0 })
}

export class FakeParticipant {
  attributes: Record<string, string> = {}
  isSpeaking = false
  connectionQuality = ConnectionQuality.Excellent
  permissions: object | undefined = undefined
  trackPublications = new Map()
  private tracks = new Map<Track.Source, FakePublication>()
  fail: Error | null = null
  constructor(readonly identity: string, readonly name: string, readonly joinedAt: Date) {}
  getTrackPublication = (source: Track.Source) => this.tracks.get(source)
  get isMicrophoneEnabled() {
    return this.tracks.get(Track.Source.Microphone)?.isMuted === false
  }
  get isCameraEnabled() {
    return this.tracks.get(Track.Source.Camera)?.isMuted === false
  }
  get isScreenShareEnabled() {
    return this.tracks.has(Track.Source.ScreenShare)
  }
  private set(source: Track.Source, on: boolean) {
    if (this.fail) return Promise.reject(this.fail)
    if (on) this.tracks.set(source, new FakePublication(source))
    else this.tracks.delete(source)
    return Promise.resolve()
  }
  setMicrophoneEnabled = vi.fn<(on: boolean, capture?: object) => Promise<void>>((on) => this.set(Track.Source.Microphone, on))
  setCameraEnabled = vi.fn<(on: boolean, capture?: object, publish?: object) => Promise<void>>((on) => this.set(Track.Source.Camera, on))
  unpublishTrack = vi.fn((track: { source: Track.Source }) => this.set(track.source, false))
  setScreenShareEnabled = vi.fn<(on: boolean, capture?: object) => Promise<void>>((on) => this.set(Track.Source.ScreenShare, on))
}

export class FakeRoom extends EventEmitter {
  state = ConnectionState.Disconnected
  metadata: string | undefined
  canPlaybackAudio = true
  canPlaybackVideo = true
  localParticipant = new FakeParticipant('me', 'Moi', new Date(0))
  remoteParticipants = new Map<string, FakeParticipant>()
  refuse: Error | null = null
  connect = vi.fn(() => {
    if (this.refuse) return Promise.reject(this.refuse)
    this.state = ConnectionState.Connected
    return Promise.resolve()
  })
  disconnect = vi.fn(() => {
    if (this.state !== ConnectionState.Disconnected) this.drop(DisconnectReason.CLIENT_INITIATED)
    return Promise.resolve()
  })
  switchActiveDevice = vi.fn(() => Promise.resolve(true))
  startAudio = vi.fn(() => Promise.resolve())
  startVideo = vi.fn(() => Promise.resolve())
  simulateScenario = vi.fn(() => Promise.resolve())
  say(topic: string, value: unknown, participant?: FakeParticipant) {
    this.emit(RoomEvent.DataReceived, new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)), participant, 0, topic)
  }
  add(identity: string, name: string, at: number) {
    const participant = new FakeParticipant(identity, name, new Date(at))
    this.remoteParticipants.set(identity, participant)
    this.emit(RoomEvent.ParticipantConnected, participant)
    return participant
  }
  drop(reason?: DisconnectReason) {
    this.state = ConnectionState.Disconnected
    this.emit(RoomEvent.Disconnected, reason)
  }
}

const ticket: MediaGrant = { url: 'ws://x', token: 't', identity: 'me' }

/** A call in a room that never leaves this process, and everything that one may want to look at. */
export function setUp(intents: { mic: boolean; cam: boolean } = { mic: true, cam: false }, chosen: Partial<Preferences> = {}) {
  const preferences = new Store<Preferences>({ ...defaultPreferences, ...chosen })
  const room = new FakeRoom()
  const grant = vi.fn(() => Promise.resolve(ticket))
  const calls = {
    messages: vi.fn<CallCalls['messages']>(() => Promise.resolve({ messages: [], now: new Date().toISOString() })),
    say: vi.fn<CallCalls['say']>(),
    react: vi.fn(() => Promise.resolve()),
    hand: vi.fn(() => Promise.resolve()),
    files: { announce: vi.fn<CallCalls['files']['announce']>(), send: vi.fn<CallCalls['files']['send']>(), get: vi.fn<CallCalls['files']['get']>(), remove: vi.fn(() => Promise.resolve()) },
    recording: vi.fn<CallCalls['recording']>(() => Promise.resolve({ state: 'none' })),
    host: { lower: vi.fn(() => Promise.resolve()), timer: vi.fn(() => Promise.resolve()) },
  }
  const effects = { blur: vi.fn<Effects['blur']>(() => ({ name: 'blur' }) as VideoEffect), denoise: vi.fn<Effects['denoise']>(() => ({ name: 'denoise' }) as AudioEffect), unblur: vi.fn(() => preferences.update((now) => ({ ...now, blur: 'off' }))) }
  const network = { back: () => {}, gone: () => {}, unwatch: vi.fn() }
  let policy: ReconnectPolicy | undefined
  const call = new Call({
    grant, calls, intents, preferences, effects, random: () => 0,
    room: (retries) => ((policy = retries), room as unknown as Room),
    network: { watch: (back, gone) => (Object.assign(network, { back, gone }), network.unwatch) },
  })
  /** LiveKit has lost the connection and asks when to try; so many tries have failed. */
  const lose = (retryCount: number) => policy?.nextRetryDelayInMs({ retryCount, elapsedMs: 0 }) ?? null
  return { room, grant, calls, call, preferences, effects, network, lose, phase: () => call.state.get().phase }
}
