// The conversation in writing. Messages live as long as the meeting, on the participants' machines only.
import { Store, type Readable } from '@/api'

export interface Message {
  id: string
  from: { identity: string; name: string; self: boolean }
  text: string
  at: number
  state: 'sent' | 'sending' | 'failed'
}
export interface ChatState {
  messages: readonly Message[]
  unread: number
  draft: string
}

/** Characters a message may have; longer ones belong in a document. */
export const longestMessage = 4000
const keptMessages = 500

export class Chat {
  private readonly current = new Store<ChatState>({ messages: [], unread: 0, draft: '' })
  readonly state: Readable<ChatState> = this.current
  private open = false
  private next = 0

  constructor(private readonly transmit: (text: string) => Promise<void>, private readonly self: () => Message['from']) {}

  write = (draft: string): void => this.current.update((state) => ({ ...state, draft: draft.slice(0, longestMessage) }))

  /** Sends the draft; what fails stays in the list with its text, to be sent again. */
  send = async (): Promise<void> => {
    const text = this.current.get().draft.trim()
    if (text === '') return
    const message: Message = { id: `self-${this.next++}`, from: this.self(), text, at: Date.now(), state: 'sending' }
    this.current.update((state) => ({ ...state, draft: '', messages: append(state.messages, message) }))
    await this.pass(message)
  }

  again = async (id: string): Promise<void> => {
    const message = this.current.get().messages.find((candidate) => candidate.id === id && candidate.state === 'failed')
    if (message) await this.pass(message)
  }

  receive(message: Omit<Message, 'state'>): void {
    this.current.update((state) => {
      if (state.messages.some((known) => known.id === message.id)) return state
      const text = message.text.slice(0, longestMessage)
      return { ...state, messages: append(state.messages, { ...message, text, state: 'sent' }), unread: this.open ? 0 : state.unread + 1 }
    })
  }

  /** Tells whether the messages are on the screen: then nothing is unread. */
  show = (open: boolean): void => {
    this.open = open
    if (open) this.current.update((state) => (state.unread === 0 ? state : { ...state, unread: 0 }))
  }

  private async pass(message: Message): Promise<void> {
    this.mark(message.id, 'sending')
    try {
      await this.transmit(message.text)
      this.mark(message.id, 'sent')
    } catch {
      this.mark(message.id, 'failed')
    }
  }

  private mark(id: string, as: Message['state']): void {
    this.current.update((state) => ({ ...state, messages: state.messages.map((message) => (message.id === id ? { ...message, state: as } : message)) }))
  }
}

function append(messages: readonly Message[], message: Message): readonly Message[] {
  return [...messages, message].slice(-keptMessages)
}
