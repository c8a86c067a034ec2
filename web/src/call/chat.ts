// The conversation in writing. The server keeps it until the meeting ends, and says who wrote what. What is written while
// the server is out of reach waits here, in order, and goes once it is back.
import { isProblem, Store, type CallFile, type CallMessage, type Readable } from '@/api'
import { forgetful, type Drafts, type Unsent } from './drafts'

export interface Message {
  id: string
  /** Order in the call; null until the server has it. */
  seq: number | null
  from: { identity: string; name: string; self: boolean }
  /** 'everyone', 'hosts' or an identity. */
  to: string
  /** Of that identity. */
  toName: string
  toSelf: boolean
  text: string
  /** Instead of a text. */
  file: CallFile | null
  at: number
  /** queued: the server is out of reach, and it goes by itself once that is over. */
  state: 'sent' | 'sending' | 'queued' | 'failed'
}
export interface ChatState {
  messages: readonly Message[]
  unread: number
  draft: string
  /** For whom the draft is. */
  to: { id: string; name: string }
}

/** Bytes of UTF-8 a message may have; longer ones belong in a document. */
export const longestMessage = 4096
const room = new Uint8Array(longestMessage)
const keptMessages = 1000
/** Between two tries while messages wait and nothing says that the server is back. */
const queuePause = 5_000

export const everyone = { id: 'everyone', name: '' }

type Transmit = (text: string, to: string) => Promise<CallMessage>

export class Chat {
  private readonly current = new Store<ChatState>({ messages: [], unread: 0, draft: '', to: everyone })
  readonly state: Readable<ChatState> = this.current
  private open = false
  private next = 0
  private loaded = false
  private flushing = false
  private timer: ReturnType<typeof setTimeout> | undefined
  /** For each message on its way, the last one of the server that was known when it was written. */
  private readonly after = new Map<string, number>()

  constructor(private readonly transmit: Transmit, private readonly self: () => Message['from'], private readonly drafts: Drafts = forgetful) {
    const kept = drafts.read()
    if (!kept) return
    const messages = kept.unsent.map((one) => this.compose(one, 'queued'))
    this.current.update((state) => ({ ...state, draft: kept.draft, to: kept.to, messages }))
  }

  write = (draft: string): void => {
    this.current.update((state) => ({ ...state, draft: draft.slice(0, new TextEncoder().encodeInto(draft, room).read) }))
    this.keep()
  }

  /** Chooses for whom the draft is. Nothing else changes it: what is meant for one never goes to all. */
  address = (to: ChatState['to']): void => {
    this.current.update((state) => ({ ...state, to }))
    this.keep()
  }

  /** Sends the draft; what the server refuses stays in the list with its text, to be sent again. */
  send = async (): Promise<void> => {
    const { draft, to, messages } = this.current.get()
    const text = draft.trim()
    if (text === '') return
    const behind = messages.some((message) => message.state === 'queued')
    const message = this.compose({ text, to: to.id, toName: to.name, after: last(messages) }, behind ? 'queued' : 'sending')
    this.current.update((state) => ({ ...state, draft: '', messages: ordered([...state.messages, message]) }))
    this.keep()
    if (behind) await this.flush()
    else if (!(await this.pass(message))) this.later()
  }

  again = async (id: string): Promise<void> => {
    const message = this.current.get().messages.find((candidate) => candidate.id === id && candidate.state === 'failed')
    if (message) await this.pass(message)
  }

  /** A message of somebody else, as it comes. One's own are answered to whoever sent them. */
  receive(message: CallMessage): boolean {
    if (this.renew(message) || message.from === this.self().identity) return false
    return this.learn([message], true) > 0
  }

  /** A message of one's own that did not go by here: it carries a file. */
  take = (message: CallMessage): void => void this.learn([message], false)

  /** Everything that was written so far: after coming in, and after every return. */
  load(messages: readonly CallMessage[]): void {
    for (const message of messages) this.renew(message)
    this.learn(messages, this.loaded)
    this.loaded = true
    // Some of what waits may have arrived, and only the answer was lost.
    for (const message of this.queued()) if (this.arrived(message)) this.replace(message.id, null)
    void this.flush()
  }

  /** The call is over; what was only written stays in the tab if one may come back. */
  close(mayReturn: boolean): void {
    clearTimeout(this.timer)
    this.flushing = true
    const { draft, to } = this.current.get()
    this.drafts.write(mayReturn && draft !== '' ? { draft, to, unsent: [] } : null)
  }

  /** What became of the file of a message that is known. */
  private renew(message: CallMessage): boolean {
    const before = this.current.get().messages.find(({ seq, file }) => seq === message.seq && file !== null)
    if (!before || !message.file?.deleted || before.file?.deleted) return false
    this.replace(before.id, { ...before, file: message.file })
    return true
  }

  /** Tells whether the messages are on the screen: then nothing is unread. */
  show = (open: boolean): void => {
    this.open = open
    if (open) this.current.update((state) => (state.unread === 0 ? state : { ...state, unread: 0 }))
  }

  /** Takes those that are new, and returns how many. */
  private learn(messages: readonly CallMessage[], count: boolean): number {
    const known = new Set(this.current.get().messages.map((message) => message.seq))
    const fresh = messages.filter((message) => !known.has(message.seq)).map((message) => this.known(message))
    if (fresh.length === 0) return 0
    const unread = count && !this.open ? fresh.filter((message) => !message.from.self).length : 0
    this.current.update((state) => ({ ...state, messages: ordered([...state.messages, ...fresh]), unread: state.unread + unread }))
    return fresh.length
  }

  private known(message: CallMessage): Message {
    const me = this.self().identity
    return {
      id: `server-${message.seq}`, seq: message.seq, from: { identity: message.from, name: message.from_name, self: message.from === me },
      to: message.to, toName: message.to_name ?? '', toSelf: message.to === me, text: message.text, file: message.file ?? null, at: Date.parse(message.at), state: 'sent',
    }
  }

  /** Tells whether the next one may go: false while the server is out of reach. */
  private async pass(message: Message): Promise<boolean> {
    this.replace(message.id, { ...message, state: 'sending' })
    try {
      const sent = this.known(await this.transmit(message.text, message.to))
      this.replace(message.id, this.current.get().messages.some((one) => one.seq === sent.seq) ? null : { ...sent, id: message.id })
      return true
    } catch (error) {
      // Not in the call (conflict) is what a server says that does not know yet that we are back.
      const waits = isProblem(error, 'offline', 'unavailable', 'conflict', 'too-many')
      this.replace(message.id, waits && this.arrived(message) ? null : { ...message, state: waits ? 'queued' : 'failed' })
      return !waits
    } finally {
      this.keep()
    }
  }

  /** Sends what waits, one after the other. */
  private async flush(): Promise<void> {
    if (this.flushing) return
    this.flushing = true
    clearTimeout(this.timer)
    let open = true
    for (let [next] = this.queued(); next && open; [next] = this.queued()) open = await this.pass(next)
    this.flushing = false
    if (!open) this.later()
  }

  private later(): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.flush(), queuePause)
  }

  private queued(): Message[] {
    return this.current.get().messages.filter((message) => message.state === 'queued')
  }

  private compose({ after, ...rest }: Unsent, state: Message['state']): Message {
    const id = `self-${this.next++}`
    this.after.set(id, after)
    return { id, seq: null, from: this.self(), toSelf: false, file: null, at: Date.now(), state, ...rest }
  }

  /** The server has it already: it told so itself, and not in answer to us. */
  private arrived({ id, text, to }: Message): boolean {
    const after = this.after.get(id) ?? 0
    return this.current.get().messages.some((one) => one.seq !== null && one.seq > after && one.id.startsWith('server-') && one.from.self && one.text === text && one.to === to)
  }

  private keep(): void {
    const { draft, to, messages } = this.current.get()
    const unsent = messages.filter(({ seq, state }) => seq === null && state !== 'failed').map(({ id, text, to, toName }) => ({ text, to, toName, after: this.after.get(id) ?? 0 }))
    this.drafts.write(draft === '' && unsent.length === 0 && to.id === everyone.id ? null : { draft, to, unsent })
  }

  private replace(id: string, by: Message | null): void {
    this.current.update((state) => ({ ...state, messages: ordered(state.messages.flatMap((message) => (message.id !== id ? [message] : by ? [by] : []))) }))
  }
}

function last(messages: readonly Message[]): number {
  return Math.max(0, ...messages.map(({ seq }) => seq ?? 0))
}

/** In the server's order, what it does not have yet last; the oldest are forgotten. */
function ordered(messages: readonly Message[]): readonly Message[] {
  return [...messages].sort((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity) || 0).slice(-keptMessages)
}
