// What the server says to this participant while the call goes on: what others wrote, reactions, what a host did or asks.
import { RoomEvent } from 'livekit-client'
import type { Reaction } from '@/api'
import type { CallCalls } from '@/api/call'
import type { Chat } from './chat'
import { Looking } from './looking'
import { askedToUnmute, moderated, topics } from './moderation'
import { chatTopic, reactionTopic, readMessage, readReactions } from './packets'
import type { Publishing } from './publishing'
import { recordingTopic } from './recording'
import type { Shared } from './state'

const reactionShown = 5_000

export class Inbox {
  private readonly reactionTimers = new Map<string, ReturnType<typeof setTimeout>>()
  private readonly written: Looking

  constructor(private readonly shared: Shared, private readonly calls: Pick<CallCalls, 'messages'>, private readonly chat: Chat, private readonly publishing: Publishing) {
    const look = async (signal: AbortSignal) => {
      const before = Date.now()
      const { messages, now } = await this.calls.messages(signal)
      if (signal.aborted) return false
      this.chat.load(messages)
      const clock = Date.parse(now) - (before + Date.now()) / 2
      this.shared.state.update((state) => ({ ...state, clock }))
      return true
    }
    // The server may hear of us a moment after we are in, and answers until then that we are not.
    this.written = new Looking(look, { lives: () => shared.state.get().phase.is === 'live' })
    // Without a sender it is the server's own: nobody else can send so.
    shared.room.on(RoomEvent.DataReceived, (payload, sender, _kind, topic) => {
      if (sender === undefined) this.told(topic, payload)
    })
  }

  /** Reads what was written meanwhile, which nothing else tells of, and the server's clock. */
  catchUp(): void {
    this.written.now()
  }

  /** Answers a host who asks one to open the microphone. */
  async answerAsk(open: boolean): Promise<void> {
    this.shared.state.update((state) => ({ ...state, askedBy: null }))
    if (open) await this.publishing.setMic(true)
  }

  /** The call is over. */
  close(): void {
    this.written.stop()
    for (const timer of this.reactionTimers.values()) clearTimeout(timer)
  }

  private told(topic: string | undefined, payload: Uint8Array): void {
    switch (topic) {
      case chatTopic:
        return this.wrote(new TextDecoder().decode(payload))
      case reactionTopic:
        return this.reacted(new TextDecoder().decode(payload))
      case topics.ask:
        return this.asked(payload)
      case recordingTopic:
        return this.shared.tell({ is: 'answered' })
      case topics.moderated:
        return this.moderated(payload)
    }
  }

  private wrote(text: string): void {
    const message = readMessage(text)
    if (message && this.chat.receive(message)) this.shared.tell({ is: 'message', name: message.from_name, alone: message.to !== 'everyone', file: message.file !== undefined })
  }

  private asked(payload: Uint8Array): void {
    const by = askedToUnmute(payload)
    const { self } = this.shared.state.get()
    if (by === null || self.mic === 'on' || !self.can.speak) return
    this.shared.state.update((state) => ({ ...state, askedBy: by }))
    this.shared.tell({ is: 'asked', by })
  }

  private moderated(payload: Uint8Array): void {
    const deed = moderated(payload)
    if (!deed) return
    void this.publishing.obey(deed)
    this.shared.tell({ is: 'moderated', deed })
  }

  private reacted(text: string): void {
    const { people } = this.shared.state.get()
    for (const { identity, reaction } of readReactions(text)) {
      const person = people.find((one) => one.identity === identity)
      if (!person) continue
      clearTimeout(this.reactionTimers.get(identity))
      this.reactionTimers.set(identity, setTimeout(() => this.showReaction(identity, undefined), reactionShown))
      this.showReaction(identity, reaction)
      if (!person.self) this.shared.tell({ is: 'reaction', name: person.name, reaction })
    }
  }

  private showReaction(identity: string, reaction: Reaction | undefined): void {
    this.shared.state.update((state) => {
      const others = Object.entries(state.reactions).filter(([who]) => who !== identity)
      return { ...state, reactions: Object.fromEntries(reaction ? [...others, [identity, reaction]] : others) }
    })
  }
}
