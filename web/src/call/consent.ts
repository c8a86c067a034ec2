// What this person has answered to the recording that is asked for or under way, and what a host does with it. The server
// decides; this asks it anew for each recording and after each return to the call, and shows nothing as answered before.
import { isProblem, Store, type CallRecording, type Readable } from '@/api'
import type { CallCalls } from '@/api/call'
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
const tries = 5
const between = 1_000

interface CallFollowed {
  state: Readable<CallState>
  onEvent: (listener: (event: CallEvent) => void) => () => void
}

export class Consent {
  private readonly current = new Store<ConsentState>(nothing)
  readonly state: Readable<ConsentState> = this.current
  private retry: ReturnType<typeof setTimeout> | undefined
  private live = false
  /** What was told when one asked. */
  private room: { id: string | undefined; room: ConsentState['room'] } | null = null
  /** Why the last one stopped was read; who comes back to the call is not told it again. */
  private read = false
  /** Answers that are older than another question are not believed. */
  private turn = 0

  /** Hosts are told more. */
  constructor(private readonly call: CallFollowed, private readonly ask: CallCalls['recording'], private readonly host = false) {}

  /** Follows the call until what it returns is called. */
  begin(): () => void {
    const stops = [this.call.state.subscribe(this.follow), this.call.onEvent((event) => event.is === 'answered' && this.load())]
    this.live = false
    this.follow()
    return () => {
      clearTimeout(this.retry)
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
  load = (left = tries): void => {
    clearTimeout(this.retry)
    const turn = ++this.turn
    this.ask('GET', '').then(
      (told) => {
        if (turn === this.turn) this.take(told)
      },
      (error: unknown) => {
        if (turn === this.turn && left > 1 && isProblem(error, 'offline', 'unavailable', 'too-many')) this.retry = setTimeout(() => this.load(left - 1), between)
      },
    )
  }

  /** As load, while nothing is on its way whose answer would be newer. */
  look = (): void => {
    if (!this.current.get().busy) this.load(1)
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
    const id = recording?.id ?? null
    if (id !== this.current.get().id) this.current.set({ ...nothing, id, room: this.roomOf(id) })
    else if (!back) return
    if (id !== null) this.read = false
    if (live && (id !== null || (this.host && !this.read))) this.load()
  }

  private roomOf = (id: string | null) => (id !== null && this.room?.id === id ? this.room.room : null)

  private take(told: CallRecording): void {
    this.current.update((state) => {
      if (state.id === null) return told.state === 'none' || told.state === 'stopping' ? { ...state, ended: byItself(told.because) } : state
      return told.id !== state.id ? state : { ...state, answer: told.answer ?? null, answers: told.answers ?? [], room: this.roomOf(state.id) }
    })
  }

  /** True: it was done. */
  private async act(method: string, path: string, body?: unknown): Promise<boolean> {
    clearTimeout(this.retry)
    const turn = ++this.turn
    this.current.update((state) => ({ ...state, busy: true, error: null }))
    try {
      const told = await this.ask(method, path, body)
      if (told.room) this.room = { id: told.id, room: told.room }
      if (turn === this.turn) this.take(told)
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
