// What this person has answered to the recording that is asked for or under way, and what a host does with it. The server
// decides; this asks it anew for each recording and after each return to the call, and shows nothing as answered before.
import { Store, type CallRecording, type Readable } from '@/api'
import type { CallCalls } from '@/api/call'
import { Looking } from './looking'
import type { RecordingTold } from './recording'
import type { CallEvent, CallState } from './state'

export interface ConsentState {
  /** The recording that all this is about; null: none. */
  id: string | null
  /** Null: not answered; undefined: not known yet. */
  answer: 'agreed' | 'declined' | 'withdrawn' | null | undefined
  /** Of everybody, for hosts. */
  answers: NonNullable<CallRecording['answers']>
  /** How much of what they may take the post's recordings take, in bytes, where the host who asked is told; else null. */
  room: NonNullable<CallRecording['room']> | null
  /** Why the recording of before stopped that no host stopped, for hosts; null: none did, or they have read it. */
  ended: Ended | null
  /** Something is on its way to the server. */
  busy: boolean
  /** Why the last thing was not done. */
  error: unknown
}

/** Why a recording stops that nobody stops. */
export type Ended = Exclude<NonNullable<CallRecording['because']>, 'host' | 'meeting-ended'>

const nothing: ConsentState = { id: null, answer: undefined, answers: [], room: null, ended: null, busy: false, error: null }
/** How long an answer of the server is waited for, in milliseconds: it is short. */
const patience = 15_000

interface CallFollowed {
  state: Readable<CallState>
  onEvent: (listener: (event: CallEvent) => void) => () => void
}

export class Consent {
  private readonly current = new Store<ConsentState>(nothing)
  readonly state: Readable<ConsentState> = this.current
  /** Nobody is asked before it is known that they have not answered: that is looked at until it is known. */
  private readonly looking: Looking
  private live = false
  /** The state of the recording that was looked at last. */
  private shown: RecordingTold['state'] | null = null
  /** What was told when one asked. */
  private room: { id: string | undefined; room: ConsentState['room'] } | null = null
  /** Why the last one stopped was read; who comes back to the call is not told it again. */
  private read = false
  /** Answers that are older than another question are not believed. */
  private turn = 0

  /** Hosts are told more. */
  constructor(private readonly call: CallFollowed, private readonly ask: CallCalls['recording'], private readonly host = false) {
    const look = async (signal: AbortSignal) => {
      const told = await ask('GET', '', undefined, signal)
      return !signal.aborted && this.take(told)
    }
    this.looking = new Looking(look, { lives: () => call.state.get().phase.is === 'live', patience })
  }

  /** Follows the call until what it returns is called. */
  begin(): () => void {
    const stops = [this.call.state.subscribe(this.follow), this.call.onEvent((event) => event.is === 'answered' && this.load())]
    this.live = false
    this.follow()
    return () => {
      this.looking.stop()
      this.turn++
      for (const stop of stops) stop()
    }
  }

  answer = (said: 'agree' | 'decline'): Promise<boolean> => this.act('POST', '/answer', { recording: this.current.get().id, answer: said })

  request = (purpose: string): Promise<boolean> => this.act('POST', '/ask', { purpose })
  start = (): Promise<boolean> => this.act('POST', '/start')
  pause = (): Promise<boolean> => this.act('POST', '/pause')
  resume = (): Promise<boolean> => this.act('POST', '/resume')
  stop = (): Promise<boolean> => this.act('POST', '/stop')

  /** Looks again: answers of others come by no message. */
  load = (): void => {
    this.turn++
    this.looking.now()
  }

  /** As load, while nothing is on its way whose answer would be newer, and nothing is tried again anyway. */
  look = (): void => {
    if (!this.current.get().busy && !this.looking.trying) this.load()
  }

  /** Why it stopped has been read. */
  dismiss = (): void => {
    this.read = true
    this.current.update((state) => ({ ...state, ended: null }))
  }

  private follow = (): void => {
    const { recording, phase } = this.call.state.get()
    const live = phase.is === 'live'
    const back = live && !this.live
    this.live = live
    if (phase.is === 'over') return this.looking.stop()
    const id = recording?.id ?? null
    const changed = this.shown !== (recording?.state ?? null)
    this.shown = recording?.state ?? null
    if (id !== this.current.get().id) {
      this.looking.stop()
      this.current.set({ ...nothing, id, room: this.roomOf(id) })
    } else if (!back && (!changed || this.looking.seen)) return
    if (id !== null) this.read = false
    if (live && (id !== null || (this.host && !this.read))) this.load()
  }

  private roomOf = (id: string | null) => (id !== null && this.room?.id === id ? this.room.room : null)

  /** False: it is about another recording than the room's, of which one of the two has not heard yet. */
  private take(told: CallRecording): boolean {
    const { id } = this.current.get()
    if (id === null) {
      if (told.state === 'none' || told.state === 'stopping') this.current.update((state) => ({ ...state, ended: byItself(told.because) }))
      return true
    }
    if (told.id !== id) return false
    this.current.update((state) => ({ ...state, answer: told.answer ?? null, answers: told.answers ?? [], room: this.roomOf(id) }))
    return true
  }

  /** True: it was done. */
  private async act(method: string, path: string, body?: unknown): Promise<boolean> {
    this.looking.stop()
    const turn = ++this.turn
    this.current.update((state) => ({ ...state, busy: true, error: null }))
    try {
      const told = await this.ask(method, path, body)
      if (told.room) this.room = { id: told.id, room: told.room }
      if (turn === this.turn && !this.take(told)) this.load()
      return true
    } catch (error) {
      this.current.update((state) => ({ ...state, error }))
      // What cannot be stored is done all the same.
      if (turn === this.turn) this.load()
      return false
    } finally {
      this.current.update((state) => ({ ...state, busy: false }))
    }
  }
}

const byItself = (because: CallRecording['because']): Ended | null => (because === undefined || because === 'host' || because === 'meeting-ended' ? null : because)
