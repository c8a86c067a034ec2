// The conversation in writing. The server keeps it until the meeting ends, and says who wrote what.
import { Store, type CallFile, type CallMessage, type Readable } from '@/api'

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
  state: 'sent' | 'sending' | 'failed'
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

export const everyone = { id: 'everyone', name: '' }

type Transmit = (text: string, to: string) => Promise<CallMessage>

export class Chat {
  private readonly current = new Store<ChatState>({ messages: [], unread: 0, draft: '', to: everyone })
  readonly state: Readable<ChatState> = this.current
  private open = false
  private next = 0
  private loaded = false

  constructor(private readonly transmit: Transmit, private readonly self: () => Message['from']) {}

  write = (draft: string): void => this.current.update((state) => ({ ...state, draft: draft.slice(0, new TextEncoder().encodeInto(draft, room).read) }))

  /** Chooses for whom the draft is. Nothing else changes it: what is meant for one never goes to all. */
  address = (to: ChatState['to']): void => this.current.update((state) => ({ ...state, to }))

  /** Sends the draft; what fails stays in the list with its text, to be sent again. */
  send = async (): Promise<void> => {
    const { draft, to } = this.current.get()
    const text = draft.trim()
    if (text === '') return
    const message: Message = { id: `self-${this.next++}`, seq: null, from: this.self(), to: to.id, toName: to.name, toSelf: false, text, file: null, at: Date.now(), state: 'sending' }
    this.current.update((state) => ({ ...state, draft: '', messages: ordered([...state.messages, message]) }))
    await this.pass(message)
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

  private async pass(message: Message): Promise<void> {
    this.replace(message.id, { ...message, state: 'sending' })
    try {
      const sent = this.known(await this.transmit(message.text, message.to))
      this.replace(message.id, this.current.get().messages.some((one) => one.seq === sent.seq) ? null : { ...sent, id: message.id })
    } catch {
      this.replace(message.id, { ...message, state: 'failed' })
    }
  }

  private replace(id: string, by: Message | null): void {
    this.current.update((state) => ({ ...state, messages: ordered(state.messages.flatMap((message) => (message.id !== id ? [message] : by ? [by] : []))) }))
  }
}

/** In the server's order, what it does not have yet last; the oldest are forgotten. */
function ordered(messages: readonly Message[]): readonly Message[] {
  return [...messages].sort((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity) || 0).slice(-keptMessages)
}
