// An agent's way in where everybody but hosts waits. The server's status decides which page there is.
import { agent, AgentChannel, isProblem, Problem, Store, type AgentView, type Readable, type SocketState } from '@/api'

export type Way = { at: 'asking' } | { at: 'known'; view: AgentView } | { at: 'refused'; problem: Problem }

type Calls = Pick<typeof agent, 'ownKnock' | 'knock' | 'withdrawKnock' | 'replyToHosts'>

const server: Calls = { ownKnock: agent.ownKnock, knock: agent.knock, withdrawKnock: agent.withdrawKnock, replyToHosts: agent.replyToHosts }

export class AgentWay {
  private readonly current = new Store<Way>({ at: 'asking' })
  readonly state: Readable<Way> = this.current
  readonly connection: Readable<SocketState>
  private readonly channel: Pick<AgentChannel, 'start' | 'close' | 'retryNow' | 'connection'>

  constructor(
    private readonly meetingID: string,
    private readonly api: Calls = server,
    connect: (onView: (view: AgentView) => void) => Pick<AgentChannel, 'start' | 'close' | 'retryNow' | 'connection'> = (onView) => new AgentChannel(meetingID, onView),
  ) {
    this.channel = connect(this.learn)
    this.connection = this.channel.connection
    this.connection.subscribe(() => {
      if (this.connection.get().is === 'refused') void this.ask(() => this.api.ownKnock(this.meetingID))
    })
  }

  start = (): void => {
    this.channel.start()
    void this.ask(() => this.api.ownKnock(this.meetingID))
  }

  /** Asks to enter; whoever waits keeps the place. */
  knock = (): Promise<void> => this.ask(() => this.api.knock(this.meetingID))

  /** Stops waiting. Throws the Problem. */
  withdraw = async (): Promise<void> => this.tell(await this.api.withdrawKnock(this.meetingID))

  /** Answers the hosts. Throws the Problem, so that what was typed stays. */
  reply = async (text: string): Promise<void> => this.tell(await this.api.replyToHosts(this.meetingID, text))

  retryConnection = (): void => this.channel.retryNow()

  dispose = (): void => this.channel.close()

  private readonly learn = (view: AgentView): void => this.current.set({ at: 'known', view })

  /** An open channel tells the same, in order with everything else. */
  private tell(view: AgentView): void {
    if (this.connection.get().is !== 'open') this.learn(view)
  }

  private async ask(call: () => Promise<AgentView>): Promise<void> {
    try {
      const view = await call()
      if (this.current.get().at !== 'known') this.learn(view)
      else this.tell(view)
    } catch (error) {
      // Whoever has been refused meanwhile is shown so by the status, which the channel tells.
      if (isProblem(error, 'denied', 'banned') && this.current.get().at === 'known') return
      this.current.set({ at: 'refused', problem: error instanceof Problem ? error : new Problem('internal', 0, String(error)) })
    }
  }
}
