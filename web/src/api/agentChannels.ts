// The live channels of agents: what one in the lobby hears, what a host hears, and what is heard wherever one is.
import { browserNetwork, LiveSocket, openSocket, type SocketState } from './socket'
import { Store, type Readable } from './store'
import type { AgentMessage, AgentView, HostMessage, Knock, Meeting, Notice, NoticeMessage, Participant } from './types'

/** The channel of an agent who waits: the cookie proves who it is. */
export class AgentChannel {
  private readonly socket: LiveSocket
  readonly connection: Readable<SocketState>

  constructor(meetingID: string, onView: (view: AgentView) => void, open = () => openSocket(`/meetings/${encodeURIComponent(meetingID)}/lobby`), network = browserNetwork) {
    this.socket = new LiveSocket({
      open,
      network,
      onMessage: (message) => {
        const { type, agent } = message as Partial<AgentMessage>
        if (type === 'state' && agent) onView(agent)
      },
    })
    this.connection = this.socket.state
  }

  start = (): void => this.socket.start()
  retryNow = (): void => this.socket.retryNow()
  close = (): void => this.socket.close()
}

/** What a host knows of the meeting's door. */
export interface HostView {
  meeting: Meeting | null
  /** Everybody who knocked and is not settled for good, in order of arrival. */
  knocks: readonly Knock[]
  participants: readonly Participant[]
  /** Number of the last message taken in; said back to the server once it is on the screen. */
  seq: number
}

// By the time itself: the server leaves out zeros at the end, so that its text does not sort.
const byArrival = (a: Knock, b: Knock) => Date.parse(a.since) - Date.parse(b.since) || a.id.localeCompare(b.id)

/** The view after a message; unknown messages change nothing, so that a newer server may say more. */
export function applyHostMessage(view: HostView, message: Partial<HostMessage>): HostView {
  const seq = message.seq ?? view.seq
  const meeting = message.meeting ?? view.meeting
  switch (message.type) {
    case 'snapshot':
      return { seq, meeting, knocks: [...(message.knocks ?? [])].sort(byArrival), participants: message.participants ?? [] }
    case 'knock':
      return message.knock ? { ...view, seq, knocks: withKnock(view.knocks, message.knock) } : view
    case 'meeting':
      return { ...view, seq, meeting }
    case 'participants':
      return { ...view, seq, participants: message.participants ?? [] }
    default:
      return view
  }
}

function withKnock(knocks: readonly Knock[], knock: Knock): readonly Knock[] {
  return [...knocks.filter((other) => other.id !== knock.id), knock].sort(byArrival)
}

/** The host's channel. */
export class HostChannel {
  private readonly socket: LiveSocket
  readonly connection: Readable<SocketState>
  private readonly current = new Store<HostView>({ meeting: null, knocks: [], participants: [], seq: 0 })
  readonly view: Readable<HostView> = this.current
  // Numbers begin anew with each connection.
  private told = -1

  constructor(meetingID: string, open = () => openSocket(`/meetings/${encodeURIComponent(meetingID)}/host`), network = browserNetwork) {
    this.socket = new LiveSocket({ open, network, greet: () => { this.told = -1 }, onMessage: (message) => this.current.update((view) => applyHostMessage(view, message as Partial<HostMessage>)) })
    this.connection = this.socket.state
  }

  /** Says that a person has those who wait on the screen: only then are guests told that a host knows. */
  seen = (): void => {
    const { seq } = this.current.get()
    if (seq !== this.told && this.socket.send({ type: 'seen', seq })) this.told = seq
  }
  /** Takes the answer of a decision without waiting for the push; of the thread, the push may have told more by now. */
  learn = (knock: Knock): void =>
    this.current.update((view) => {
      const before = view.knocks.find((other) => other.id === knock.id)?.messages ?? []
      const newer = (before.at(-1)?.seq ?? 0) > (knock.messages.at(-1)?.seq ?? 0)
      return { ...view, knocks: withKnock(view.knocks, newer ? { ...knock, messages: before } : knock) }
    })
  start = (): void => this.socket.start()
  retryNow = (): void => this.socket.retryNow()
  close = (): void => this.socket.close()
}

/** Where guests wait for this agent, whoever knocked last first; null before the server has said. */
export class NoticeChannel {
  private readonly socket: LiveSocket
  private readonly current = new Store<readonly Notice[] | null>(null)
  readonly notices: Readable<readonly Notice[] | null> = this.current

  constructor(open = () => openSocket('/agent/notices'), network = browserNetwork) {
    this.socket = new LiveSocket({
      open,
      network,
      onMessage: (message) => {
        const { type, notices } = message as Partial<NoticeMessage>
        if (type === 'notices' && notices) this.current.set(notices)
      },
    })
  }

  start = (): void => this.socket.start()
  close = (): void => this.socket.close()
}
