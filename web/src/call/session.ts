// The live call: one LiveKit room, kept alive for as long as the person wants to be in it.
//
//	joining ──▶ live ◀──▶ reconnecting          LiveKit resumes by itself
//	   │          │            │
//	   │          └─ gave up ──┤                 then we join again with a fresh token, with back-off
//	   └──────────── over ◀────┘                 left, removed, ended, elsewhere, refused: nobody comes back by itself
import { ConnectionState, RoomEvent, Track, type DisconnectReason, type LocalTrackPublication, type Room } from 'livekit-client'
import { Store, isProblem, type MediaGrant, type Reaction, type Readable } from '@/api'
import type { CallCalls } from '@/api/call'
import { backOff } from '@/api/socket'
import { Chat } from './chat'
import type { Listen } from './check'
import type { Intents } from './intents'
import { mediaProblem } from './media'
import { askedToUnmute, moderated, moderation, topics, unmoderated, type Moderated, type Moderation } from './moderation'
import { MutedTalk } from './muted'
import { chatTopic, reactionTopic, readMessage, readReactions, readTimer, type Timer } from './packets'
import { overBy, overByProblem, type Over } from './outcome'
import { profileInForce, type ProfileInForce } from './profile'
import { keepSame, nameOf, people, permissions, quality, shares, type Permissions, type Person, type Quality, type Self, type Share } from './people'
import { noHost, type NoHost } from './told'

export type Phase =
  | { is: 'joining' }
  | { is: 'live'; since: number }
  /** retryAt: when the next try of ours begins; null while LiveKit resumes or a try is under way. */
  | { is: 'reconnecting'; since: number; tries: number; retryAt: number | null }
  | { is: 'over'; why: Over }

export interface CallState {
  phase: Phase
  self: Self
  people: readonly Person[]
  shares: readonly Share[]
  /** The last host has left. */
  noHost: NoHost | null
  quality: Quality
  /** The browser plays nothing until the person touches the page (iOS after a phone call, autoplay rules). */
  mustTap: boolean
  /** The security profile in force; null before the server has said. */
  profile: ProfileInForce | null
  /** The person is talking while the microphone is off: true for a few seconds. */
  talksMuted: boolean
  moderation: Moderation
  /** The host who asks one to open the microphone, until one answers. */
  askedBy: string | null
  timer: Timer | null
  /** How far the server's clock is ahead, in milliseconds. */
  clock: number
  /** Shown at this moment, one for each person. */
  reactions: Readonly<Record<string, Reaction>>
  /** Hands that go down unless the host takes it back: of one, or (null) all. */
  lowering: { identity: string | null } | null
}

/** A host may take the lowering of hands back for this long before it reaches the server. */
const undoFor = 8_000
const reactionShown = 5_000

export type CallEvent = { is: 'joined' | 'left' | 'shares'; name: string; identity: string } | { is: 'back' } | { is: 'talks-muted' } | { is: 'message'; name: string; alone: boolean }
  | { is: 'reaction'; name: string; reaction: Reaction } | { is: 'hand'; name: string } | { is: 'moderated'; deed: Moderated } | { is: 'asked'; by: string } | { is: 'locked' | 'unlocked' }

const everything: Permissions = { speak: true, camera: true, share: true, chat: true }

// Every event after which the screen may look different.
const changes = [
  RoomEvent.ParticipantConnected, RoomEvent.ParticipantDisconnected, RoomEvent.ParticipantNameChanged, RoomEvent.ParticipantAttributesChanged,
  RoomEvent.ParticipantPermissionsChanged, RoomEvent.TrackPublished, RoomEvent.TrackUnpublished, RoomEvent.TrackSubscribed, RoomEvent.TrackUnsubscribed,
  RoomEvent.TrackMuted, RoomEvent.TrackUnmuted, RoomEvent.LocalTrackPublished, RoomEvent.LocalTrackUnpublished, RoomEvent.ActiveSpeakersChanged,
  RoomEvent.RoomMetadataChanged, RoomEvent.ConnectionQualityChanged, RoomEvent.TrackStreamStateChanged, RoomEvent.AudioPlaybackStatusChanged, RoomEvent.VideoPlaybackStatusChanged,
] as const

interface Options {
  /** Asks the server anew for each join whether one may be in. */
  grant: () => Promise<MediaGrant>
  /** What is said and shown besides speaking. */
  calls: CallCalls
  room: () => Room
  intents: Pick<Intents, 'mic' | 'cam' | 'micID' | 'camID' | 'speakerID'>
  random?: () => number
  /** Measures the microphone while it is off, to say so to whoever talks; without it nothing is measured. */
  listen?: Listen
}

export class Call {
  private readonly room: Room
  private readonly current: Store<CallState>
  readonly state: Readable<CallState>
  readonly chat: Chat
  private readonly listeners = new Set<(event: CallEvent) => void>()
  private wanted: { mic: boolean; cam: boolean }
  private timer: ReturnType<typeof setTimeout> | undefined
  private attempt = 0
  private joining = false
  private refreshing = false
  private readonly mutedTalk: MutedTalk | null
  private loweringTimer: ReturnType<typeof setTimeout> | undefined
  private readonly reactionTimers = new Map<string, ReturnType<typeof setTimeout>>()

  constructor(private readonly options: Options) {
    this.wanted = { mic: options.intents.mic, cam: options.intents.cam }
    this.room = options.room()
    this.current = new Store<CallState>({
      phase: { is: 'joining' }, people: [], shares: [], noHost: null, quality: 'good', mustTap: false, talksMuted: false, profile: null, moderation: unmoderated, askedBy: null,
      timer: null, clock: 0, reactions: {}, lowering: null,
      self: { identity: '', name: '', mic: 'off', cam: 'off', sharing: false, can: everything, problem: null },
    })
    this.state = this.current
    this.mutedTalk = options.listen ? new MutedTalk(options.listen, (talksMuted) => this.talks(talksMuted)) : null
    this.chat = new Chat(
      options.calls.say,
      () => ({ identity: this.room.localParticipant.identity, name: nameOf(this.room.localParticipant), self: true }),
    )
    this.listen()
  }

  onEvent = (listener: (event: CallEvent) => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Joins; from here on the call comes back by itself until it is over. */
  start = (): void => void this.join()

  /** Leaves for good and lets go of the devices. */
  leave = (): void => this.finish('left')

  /** Ends the wait before the next try. */
  retryNow = (): void => {
    const { phase } = this.current.get()
    if (phase.is === 'reconnecting' && phase.retryAt !== null) void this.join()
  }

  toggleMic = (): Promise<void> => this.setMic(this.current.get().self.mic !== 'on')
  toggleCam = (): Promise<void> => this.setCam(this.current.get().self.cam !== 'on')

  async setMic(on: boolean): Promise<void> {
    this.wanted.mic = on
    await this.device('mic', on, () => this.room.localParticipant.setMicrophoneEnabled(on))
  }

  async setCam(on: boolean): Promise<void> {
    this.wanted.cam = on
    await this.device('cam', on, () => this.room.localParticipant.setCameraEnabled(on))
  }

  toggleShare = async (): Promise<void> => {
    const on = !this.current.get().self.sharing
    try {
      await this.room.localParticipant.setScreenShareEnabled(on, { audio: true, selfBrowserSurface: 'include', contentHint: 'detail' })
    } catch (error) {
      // Closing the browser's own chooser is a choice, not a mistake.
      const why = mediaProblem(error)
      if (why !== 'refused') this.self({ problem: { kind: 'share', why } })
    }
    this.refresh()
  }

  async use(kind: 'audioinput' | 'videoinput' | 'audiooutput', deviceID: string): Promise<void> {
    try {
      await this.room.switchActiveDevice(kind, deviceID)
    } catch (error) {
      this.self({ problem: { kind: kind === 'videoinput' ? 'cam' : 'mic', why: mediaProblem(error) } })
    }
  }

  /** From a press: lets the browser play again, and wakes devices that an interruption has ended. */
  resume = async (): Promise<void> => {
    await this.room.startAudio().catch(() => undefined)
    await this.room.startVideo().catch(() => undefined)
    for (const publication of [...this.room.localParticipant.trackPublications.values()] as LocalTrackPublication[]) {
      const track = publication.track
      if (track && !publication.isMuted && track.source !== Track.Source.ScreenShare && track.mediaStreamTrack.readyState === 'ended') {
        if ('restartTrack' in track) await track.restartTrack().catch(() => undefined)
      }
    }
    this.refresh()
  }

  /** Answers a host who asks one to open the microphone. */
  answerAsk = async (open: boolean): Promise<void> => {
    this.current.update((state) => ({ ...state, askedBy: null }))
    if (open) await this.setMic(true)
  }

  /** Shows a reaction; one too many is not worth a word. */
  react = (reaction: Reaction): void => void this.options.calls.react(reaction).catch(() => undefined)

  toggleHand = (): void => {
    const up = this.current.get().people.some((person) => person.self && person.hand > 0)
    void this.options.calls.hand(!up).catch(() => undefined)
  }

  /** Lowers somebody's hand, or all, after the time to take it back. */
  lower = (identity: string | null): void => {
    this.flushLowering()
    this.current.update((state) => ({ ...state, lowering: { identity } }))
    this.loweringTimer = setTimeout(this.flushLowering, undoFor)
  }

  undoLowering = (): void => {
    clearTimeout(this.loweringTimer)
    this.current.update((state) => ({ ...state, lowering: null }))
  }

  private flushLowering = (): void => {
    const { lowering } = this.current.get()
    this.undoLowering()
    if (lowering) void this.options.calls.host?.lower(lowering.identity).catch(() => undefined)
  }

  /** Starts the timer for everybody; null stops it. */
  setTimer = async (seconds: number | null): Promise<void> => {
    await this.options.calls.host?.timer(seconds)
  }

  dismissProblem = (): void => this.self({ problem: null })

  private async join(): Promise<void> {
    if (this.joining || this.isOver()) return
    this.joining = true
    clearTimeout(this.timer)
    const before = this.current.get().phase
    if (before.is === 'reconnecting') this.phase({ ...before, retryAt: null, tries: before.tries + 1 })
    try {
      const { url, token } = await this.options.grant()
      if (this.isOver()) return
      await this.room.connect(url, token)
      if (this.isOver()) return void this.room.disconnect()
      this.attempt = 0
      this.phase({ is: 'live', since: Date.now() })
      if (before.is === 'reconnecting') this.tell({ is: 'back' })
      this.refreshNow()
      void this.catchUp()
      void this.applyIntents()
    } catch (error) {
      const over = overByProblem(error)
      if (over) this.finish(over)
      else this.later()
    } finally {
      this.joining = false
    }
  }

  private later(): void {
    if (this.isOver()) return
    const { phase } = this.current.get()
    const delay = backOff(this.attempt++, this.options.random ?? Math.random)
    const since = phase.is === 'reconnecting' ? phase.since : Date.now()
    const tries = phase.is === 'reconnecting' ? phase.tries : 0
    this.phase({ is: 'reconnecting', since, tries, retryAt: Date.now() + delay })
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.join(), delay)
  }

  private async applyIntents(): Promise<void> {
    const { can } = this.current.get().self
    const { micID, camID, speakerID } = this.options.intents
    if (speakerID) await this.room.switchActiveDevice('audiooutput', speakerID).catch(() => undefined)
    if (micID) await this.room.switchActiveDevice('audioinput', micID, false).catch(() => undefined)
    if (camID) await this.room.switchActiveDevice('videoinput', camID, false).catch(() => undefined)
    await Promise.all([this.wanted.mic && can.speak ? this.setMic(true) : null, this.wanted.cam && can.camera ? this.setCam(true) : null])
  }

  private async device(kind: 'mic' | 'cam', on: boolean, act: () => Promise<unknown>): Promise<void> {
    // The server cannot be told now; the wish is kept and applied when we are back.
    if (this.room.state === ConnectionState.Disconnected) return this.self({ [kind]: 'off' })
    if (on) this.self({ [kind]: 'starting', problem: null })
    try {
      await act()
    } catch (error) {
      this.wanted[kind] = false
      this.self({ problem: { kind, why: mediaProblem(error) } })
    }
    this.refreshNow()
  }

  private listen(): void {
    const { room } = this
    for (const event of changes) room.on(event, this.refresh)
    room.on(RoomEvent.Reconnecting, () => this.interrupted())
    room.on(RoomEvent.SignalReconnecting, () => this.interrupted())
    room.on(RoomEvent.Reconnected, () => {
      const before = this.current.get().phase
      this.phase({ is: 'live', since: Date.now() })
      if (before.is === 'reconnecting') this.tell({ is: 'back' })
      this.refresh()
      void this.catchUp()
    })
    room.on(RoomEvent.Disconnected, (reason) => this.disconnected(reason))
    room.on(RoomEvent.TrackPublished, (publication, participant) => {
      if (publication.source === Track.Source.ScreenShare) this.tell({ is: 'shares', name: nameOf(participant), identity: participant.identity })
    })
    room.on(RoomEvent.ParticipantConnected, (participant) => this.tell({ is: 'joined', name: nameOf(participant), identity: participant.identity }))
    room.on(RoomEvent.ParticipantDisconnected, (participant) => this.tell({ is: 'left', name: nameOf(participant), identity: participant.identity }))
    // Without a sender it is the server's own: nobody else can send so.
    room.on(RoomEvent.DataReceived, (payload, sender, _kind, topic) => {
      if (sender === undefined) this.told(topic, payload)
    })
    room.on(RoomEvent.ParticipantAttributesChanged, (changed, participant) => {
      if (changed['aparte.hand'] && participant !== room.localParticipant) this.tell({ is: 'hand', name: nameOf(participant) })
    })
  }

  private wrote(text: string): void {
    const message = readMessage(text)
    if (message && this.chat.receive(message)) this.tell({ is: 'message', name: message.from_name, alone: message.to !== 'everyone' })
  }

  private reacted(text: string): void {
    const { people } = this.current.get()
    for (const { identity, reaction } of readReactions(text)) {
      const person = people.find((one) => one.identity === identity)
      if (!person) continue
      clearTimeout(this.reactionTimers.get(identity))
      this.reactionTimers.set(identity, setTimeout(() => this.showReaction(identity, undefined), reactionShown))
      this.showReaction(identity, reaction)
      if (!person.self) this.tell({ is: 'reaction', name: person.name, reaction })
    }
  }

  private showReaction(identity: string, reaction: Reaction | undefined): void {
    this.current.update((state) => {
      const others = Object.entries(state.reactions).filter(([who]) => who !== identity)
      return { ...state, reactions: Object.fromEntries(reaction ? [...others, [identity, reaction]] : others) }
    })
  }

  /** Reads what was written meanwhile, and the server's clock. The server may hear of us a moment after we are in. */
  private async catchUp(tries = 5): Promise<void> {
    try {
      const before = Date.now()
      const { messages, now } = await this.options.calls.messages()
      this.chat.load(messages)
      const clock = Date.parse(now) - (before + Date.now()) / 2
      this.current.update((state) => ({ ...state, clock }))
    } catch (error) {
      if (tries > 1 && !this.isOver() && isProblem(error, 'conflict', 'offline', 'unavailable')) setTimeout(() => void this.catchUp(tries - 1), 500)
    }
  }

  private told(topic: string | undefined, payload: Uint8Array): void {
    if (topic === chatTopic) this.wrote(new TextDecoder().decode(payload))
    if (topic === reactionTopic) this.reacted(new TextDecoder().decode(payload))
    if (topic === topics.ask) {
      const by = askedToUnmute(payload)
      const { self } = this.current.get()
      if (by === null || self.mic === 'on' || !self.can.speak) return
      this.current.update((state) => ({ ...state, askedBy: by }))
      this.tell({ is: 'asked', by })
    }
    const deed = topic === topics.moderated ? moderated(payload) : null
    if (!deed) return
    void this.obey(deed)
    this.tell({ is: 'moderated', deed })
  }

  /** The server has stopped it already; here the devices are let go of, and a return opens nothing again. */
  private async obey({ what, rights }: Moderated): Promise<void> {
    if (what === 'muted' || (what === 'forbidden' && rights.includes('speak'))) this.wanted.mic = false
    if (what === 'camera_stopped' || (what === 'forbidden' && rights.includes('camera'))) this.wanted.cam = false
    if (what === 'muted') await this.room.localParticipant.setMicrophoneEnabled(false).catch(() => undefined)
    if (what === 'camera_stopped') await this.room.localParticipant.setCameraEnabled(false).catch(() => undefined)
    if (what === 'share_stopped') await this.room.localParticipant.setScreenShareEnabled(false).catch(() => undefined)
    this.refresh()
  }

  private interrupted(): void {
    if (this.current.get().phase.is === 'live') this.phase({ is: 'reconnecting', since: Date.now(), tries: 0, retryAt: null })
  }

  private disconnected(reason: DisconnectReason | undefined): void {
    if (this.isOver()) return
    const over = overBy(reason)
    if (over) this.finish(over)
    else if (!this.joining) this.later()
    this.refresh()
  }

  private finish(why: Over): void {
    if (this.isOver()) return
    clearTimeout(this.timer)
    this.flushLowering()
    for (const timer of this.reactionTimers.values()) clearTimeout(timer)
    this.phase({ is: 'over', why })
    this.mutedTalk?.follow(null)
    void this.room.disconnect(true)
  }

  private talks(talksMuted: boolean): void {
    if (talksMuted === this.current.get().talksMuted) return
    this.current.update((state) => ({ ...state, talksMuted }))
    if (talksMuted) this.tell({ is: 'talks-muted' })
  }

  private isOver(): boolean {
    return this.current.get().phase.is === 'over'
  }

  private phase(phase: Phase): void {
    this.current.update((state) => ({ ...state, phase }))
  }

  private self(part: Partial<Self>): void {
    this.current.update((state) => ({ ...state, self: { ...state.self, ...part } }))
  }

  private tell(event: CallEvent): void {
    for (const listener of [...this.listeners]) listener(event)
  }

  /** Reads the room once after all events of this turn. */
  private refresh = (): void => {
    if (this.refreshing) return
    this.refreshing = true
    queueMicrotask(() => {
      this.refreshing = false
      this.refreshNow()
    })
  }

  private refreshNow(): void {
    const { room } = this
    const local = room.localParticipant
    if (room.state === ConnectionState.Disconnected) return
    const mic = local.getTrackPublication(Track.Source.Microphone)
    this.mutedTalk?.follow(mic?.isMuted ? (mic.track?.mediaStreamTrack ?? null) : null)
    const before = this.current.get().moderation
    const now = moderation(room.metadata, before)
    if (now.locked !== before.locked) this.tell({ is: now.locked ? 'locked' : 'unlocked' })
    const device = (kind: 'mic' | 'cam', on: boolean, before: Self) => (on ? 'on' as const : before[kind] === 'starting' && this.wanted[kind] && !before.problem ? 'starting' as const : 'off' as const)
    this.current.update((state) => ({
      ...state,
      moderation: now,
      askedBy: local.isMicrophoneEnabled ? null : state.askedBy,
      // While we are away the last picture of the meeting stays on the screen, dimmed.
      ...(state.phase.is === 'reconnecting' ? {} : { people: keepSame(state.people, people(room)), shares: keepSame(state.shares, shares(room)) }),
      noHost: noHost(room.metadata, state.noHost),
      quality: quality(room),
      profile: profileInForce(room.metadata, state.profile),
      timer: sameTimer(state.timer, readTimer(room.metadata)),
      mustTap: !room.canPlaybackAudio || !room.canPlaybackVideo,
      self: {
        ...state.self,
        identity: local.identity,
        name: nameOf(local),
        mic: device('mic', local.isMicrophoneEnabled, state.self),
        cam: device('cam', local.isCameraEnabled, state.self),
        sharing: local.isScreenShareEnabled,
        can: permissions(local),
      },
    }))
  }
}

function sameTimer(before: Timer | null, now: Timer | null): Timer | null {
  return before && now && before.endsAt === now.endsAt && before.startedBy === now.startedBy ? before : now
}
