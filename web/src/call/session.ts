// The live call: one LiveKit room, kept alive for as long as the person wants to be in it. The parts each have one subject;
// here they are put together, and the acts of the person handed to them.
//
//	connection.ts   comes in, comes back, is over; retries.ts: when LiveKit tries by itself
//	publishing.ts   microphone, camera, screen, devices; effects/: what is done to picture and sound before they leave
//	ownpicture.ts   that one's own picture is no larger than the path carries
//	unplugged.ts    a microphone, camera or loudspeaker that goes while it is used
//	receiving.ts    which pictures are asked for
//	files.ts        files on their way from the person
//	inbox.ts        what the server says: messages, reactions, what a host did
//	lowering.ts     hands that a host lowers
//	view.ts         how the person looks on and listens
//	priority.ts     that pictures pinned there come first
//	steady.ts       the word for the connection, which does not flicker
//	facts.ts        what the room looks like now
import { ConnectionState, RoomEvent, Track, type ReconnectPolicy, type Room } from 'livekit-client'
import { Store, type MediaGrant, type Reaction, type Readable } from '@/api'
import type { CallCalls } from '@/api/call'
import type { Network } from '@/api/socket'
import { Chat } from './chat'
import type { Listen } from './listening'
import { Connection } from './connection'
import { deadDevices, plain, wakesBy } from './dead'
import type { Drafts } from './drafts'
import type { Effects } from './effects/processors'
import { changes, facts } from './facts'
import { Files } from './files'
import { Inbox } from './inbox'
import { Lowering } from './lowering'
import { MutedTalk } from './muted'
import { OwnPicture } from './ownpicture'
import { nameOf, quality, type Quality } from './people'
import { defaultPreferences, type Preferences } from './preferences'
import { Priority } from './priority'
import { Publishing, type Intended } from './publishing'
import { Gauge, type Figures } from './quality'
import { Receiving } from './receiving'
import { Retries } from './retries'
import { follow, steadyAtFirst } from './steady'
import { atFirst, type CallEvent, type CallState, type Shared } from './state'
import { Unplugged, type Gone } from './unplugged'
import { View, type Keep } from './view'

interface Options {
  /** Asks the server anew for each join whether one may be in. */
  grant: () => Promise<MediaGrant>
  /** What is said and shown besides speaking. */
  calls: CallCalls
  room: (retries: ReconnectPolicy) => Room
  effects: Effects
  intents: Intended
  /** Followed while the call lives; without it the call is as by default. */
  preferences?: Readable<Preferences>
  random?: () => number
  /** Measures the microphone while it is off, to say so to whoever talks; without it nothing is measured. */
  listen?: Listen
  /** Tells when the network changes and the page comes back to the screen. */
  network?: Network
  /** The devices that there are; without it nobody is told of one that went. */
  devices?: () => Promise<readonly MediaDeviceInfo[]>
  /** Keeps what is typed and not sent over a reload. */
  drafts?: Drafts
  /** Where the person's way of looking on is kept; without it nowhere. */
  keep?: Keep
}

export class Call {
  private readonly room: Room
  private readonly current = new Store<CallState>(atFirst)
  readonly state: Readable<CallState> = this.current
  readonly chat: Chat
  readonly files: Files
  readonly view: View
  /** What is asked and said about recording. */
  readonly recording: CallCalls['recording']
  private readonly listeners = new Set<(event: CallEvent) => void>()
  private refreshing = false
  private readonly mutedTalk: MutedTalk | null
  private readonly connection: Connection
  private readonly publishing: Publishing
  private readonly ownPicture: OwnPicture
  private readonly unplugged: Unplugged | null
  private readonly receiving: Receiving
  private readonly gauge: Gauge
  private readonly inbox: Inbox
  private readonly lowering: Lowering
  /** Devices that should be on are dead until a touch. */
  private dead = false
  private wake: ReturnType<typeof setTimeout> | undefined
  private steady = steadyAtFirst
  private steadied: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly options: Options) {
    const { calls, preferences = new Store(defaultPreferences) } = options
    this.recording = calls.recording
    const random = options.random ?? Math.random
    const retries = new Retries(random)
    this.room = options.room(retries)
    const shared: Shared = { room: this.room, state: this.current, tell: this.tell }
    this.mutedTalk = options.listen ? new MutedTalk(options.listen, (talksMuted) => this.talks(talksMuted)) : null
    this.chat = new Chat(
      calls.say,
      () => ({ identity: this.room.localParticipant.identity, name: nameOf(this.room.localParticipant), self: true }),
      options.drafts,
    )
    this.files = new Files(calls.files, this.chat.take)
    // Whatever else an event changes, the screen is read off the room after it.
    for (const event of [...changes, RoomEvent.Reconnected, RoomEvent.Disconnected] as const) this.room.on(event, this.refresh)
    this.lowering = new Lowering(shared, calls.host?.lower)
    this.publishing = new Publishing(shared, options.intents, preferences, options.effects, { now: this.refreshNow, soon: this.refresh })
    this.ownPicture = new OwnPicture(shared, preferences, { wanted: this.publishing.wantsCam, withhold: this.publishing.withholdCam }, this.refresh)
    this.unplugged = options.devices ? new Unplugged(this.room, options.devices, this.went) : null
    this.view = new View(this.current, options.keep ?? { browser: null, tab: null })
    const priority = new Priority(this.room, this.view.state)
    this.inbox = new Inbox(shared, calls, this.chat, this.publishing)
    this.receiving = new Receiving(this.room, preferences)
    this.gauge = new Gauge(this.room)
    const unfollow = preferences.subscribe(() => {
      this.receiving.apply()
      void this.publishing.follow()
    })
    this.connection = new Connection(shared, {
      grant: options.grant,
      everything: () => this.receiving.all,
      random,
      retries,
      onLive: (by) => {
        if (by === 'join') this.refreshNow()
        this.receiving.apply()
        this.inbox.catchUp()
        if (by === 'join') void this.publishing.apply()
        this.ownPicture.start()
      },
      onOver: (why) => {
        unwatch()
        unfollow()
        clearTimeout(this.wake)
        clearTimeout(this.steadied)
        this.chat.close(why === 'left')
        this.lowering.flush()
        this.ownPicture.close()
        this.unplugged?.close()
        this.inbox.close()
        this.files.close()
        this.mutedTalk?.follow(null)
        this.view.close()
        priority.close()
      },
    })
    const unwatch = options.network?.watch(() => this.backOnScreen(), () => this.connection.networkGone()) ?? (() => undefined)
    this.tellOfOthers()
  }

  onEvent = (listener: (event: CallEvent) => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Joins; from here on the call comes back by itself until it is over. */
  start = (): void => void this.connection.join()

  /** Leaves for good and lets go of the devices. */
  leave = (): void => this.connection.finish('left')

  /** Ends the wait before the next try. */
  retryNow = (): void => this.connection.retryNow()

  setMic = (on: boolean): Promise<void> => this.publishing.setMic(on)
  setCam = async (on: boolean): Promise<void> => {
    await this.publishing.setCam(on)
    if (on && this.current.get().steppedDown?.step === 'off') await this.keepPicture()
  }
  /** Sends a picture of oneself, however narrow the path. */
  keepPicture = (): Promise<void> => this.ownPicture.keep()
  toggleMic = (): Promise<void> => this.setMic(this.current.get().self.mic !== 'on')
  toggleCam = (): Promise<void> => this.setCam(this.current.get().self.cam !== 'on')
  toggleShare = (): Promise<void> => this.publishing.toggleShare()
  use = (kind: 'audioinput' | 'videoinput' | 'audiooutput', deviceID: string): Promise<void> => {
    this.stillGone((gone) => gone.kind !== (kind === 'audioinput' ? 'mic' : kind === 'videoinput' ? 'cam' : 'speaker'))
    return this.publishing.use(kind, deviceID)
  }
  /** The person has read which device went. */
  dismissUnplugged = (): void => this.stillGone(() => false)

  /** From a press: lets the browser play again, and wakes devices that an interruption has ended. */
  resume = async (): Promise<void> => {
    await this.publishing.resume()
    this.dead = false
    this.refresh()
  }
  dismissProblem = (): void => this.publishing.dismissProblem()

  /** The connection's figures since the last look. */
  measure = (): Promise<Figures> => this.gauge.look()

  /** Answers a host who asks one to open the microphone. */
  answerAsk = (open: boolean): Promise<void> => this.inbox.answerAsk(open)

  /** Shows a reaction; one too many is not worth a word. */
  react = (reaction: Reaction): void => void this.options.calls.react(reaction).catch(() => undefined)

  toggleHand = (): void => {
    const up = this.current.get().people.some((person) => person.self && person.hand > 0)
    void this.options.calls.hand(!up).catch(() => undefined)
  }

  /** Lowers somebody's hand, or all, after the time to take it back. */
  lower = (identity: string | null): void => this.lowering.lower(identity)
  undoLowering = (): void => this.lowering.undo()

  /** Starts the timer for everybody; null stops it. */
  setTimer = async (seconds: number | null): Promise<void> => {
    await this.options.calls.host?.timer(seconds)
  }

  /** The network or the page is back. A browser that does not wake the devices by itself wants a touch. */
  private backOnScreen(): void {
    this.connection.networkBack()
    clearTimeout(this.wake)
    this.wake = setTimeout(() => {
      this.dead = deadDevices(this.room).length > 0
      this.refresh()
    }, wakesBy)
  }

  private tellOfOthers(): void {
    const { room } = this
    room.on(RoomEvent.TrackPublished, (publication, participant) => {
      if (publication.source === Track.Source.ScreenShare) this.tell({ is: 'shares', name: nameOf(participant), identity: participant.identity })
    })
    room.on(RoomEvent.ParticipantConnected, (participant) => this.tell({ is: 'joined', name: nameOf(participant), identity: participant.identity }))
    room.on(RoomEvent.ParticipantDisconnected, (participant) => this.tell({ is: 'left', name: nameOf(participant), identity: participant.identity }))
    room.on(RoomEvent.ParticipantAttributesChanged, (changed, participant) => {
      if (changed['aparte.hand'] && participant !== room.localParticipant) this.tell({ is: 'hand', name: nameOf(participant) })
    })
  }

  private tell = (event: CallEvent): void => {
    for (const listener of [...this.listeners]) listener(event)
  }

  private went = (gone: readonly Gone[]): void => {
    this.stillGone((before) => gone.every(({ kind }) => kind !== before.kind), gone)
    this.refresh()
  }

  private stillGone(still: (gone: Gone) => boolean, more: readonly Gone[] = []): void {
    const { unplugged } = this.current.get()
    const left = unplugged.filter(still)
    if (left.length !== unplugged.length || more.length > 0) this.current.update((state) => ({ ...state, unplugged: [...left, ...more] }))
  }

  private talks(talksMuted: boolean): void {
    if (talksMuted === this.current.get().talksMuted) return
    this.current.update((state) => ({ ...state, talksMuted }))
    if (talksMuted) this.tell({ is: 'talks-muted' })
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

  private refreshNow = (): void => {
    const { room } = this
    if (room.state === ConnectionState.Disconnected) return
    const mic = room.localParticipant.getTrackPublication(Track.Source.Microphone)
    this.mutedTalk?.follow(mic?.isMuted ? (plain(mic.track) ?? null) : null)
    const before = this.current.get()
    const now = facts(room, before)
    this.unplugged?.follow()
    if (now.moderation.locked !== before.moderation.locked) this.tell({ is: now.moderation.locked ? 'locked' : 'unlocked' })
    this.current.update((state) => ({ ...state, ...now, quality: this.word(), mustTap: now.mustTap || this.dead, self: this.publishing.read(state.self) }))
  }

  /** The word for one's own connection. What is sent smaller for its sake makes it weak, whatever the server sees of the rest. */
  private word(): Quality {
    const seen = this.current.get().steppedDown?.why === 'path' ? 'weak' : quality(this.room)
    const { steady, again } = follow(this.steady, seen, Date.now())
    this.steady = steady
    clearTimeout(this.steadied)
    if (again !== null) this.steadied = setTimeout(this.refresh, again - Date.now())
    if (steady.tell) this.tell({ is: 'weak' })
    return steady.shown
  }
}
