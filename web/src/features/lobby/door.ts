// The host's hand on the door: who waits, and decisions on the way to the server.
import { agent, Store, type HostChannel, type Knock, type Readable } from '@/api'

/** A refusal can be taken back for this long before it reaches the server. */
export const undoFor = 8_000

export interface DoorState {
  waiting: readonly Knock[]
  /** Refused here, not yet at the server. */
  refused: readonly Knock[]
  /** Refused or removed earlier; a host may let them ask again. */
  shut: readonly Knock[]
  /** Decisions under way, by knock. */
  busy: ReadonlySet<string>
  error: unknown
}

type Calls = Pick<typeof agent, 'admit' | 'deny' | 'admitAll' | 'lift'>

const server: Calls = { admit: agent.admit, deny: agent.deny, admitAll: agent.admitAll, lift: agent.lift }

export class Door {
  private readonly current = new Store<DoorState>({ waiting: [], refused: [], shut: [], busy: new Set(), error: null })
  readonly state: Readable<DoorState> = this.current
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>()
  private readonly unsubscribe: () => void

  constructor(private readonly meetingID: string, private readonly channel: Pick<HostChannel, 'view' | 'learn'>, private readonly calls: Calls = server) {
    this.unsubscribe = channel.view.subscribe(() => this.derive())
    this.derive()
  }

  admit = (knock: Knock): Promise<void> => this.decide([knock.id], async () => this.channel.learn(await this.calls.admit(this.meetingID, knock.id)))

  lift = (knock: Knock): Promise<void> => this.decide([knock.id], async () => this.channel.learn(await this.calls.lift(this.meetingID, knock.id)))

  /** Lets in everybody whose name raises no doubt; the others keep waiting. */
  admitAll = (): Promise<void> => {
    const { waiting, refused } = this.current.get()
    const clear = waiting.filter((knock) => !doubtful(knock))
    const except = [...waiting.filter(doubtful), ...refused].map((knock) => knock.id)
    return this.decide(clear.map((knock) => knock.id), async () => {
      const { knocks } = await this.calls.admitAll(this.meetingID, except)
      for (const knock of knocks) this.channel.learn(knock)
    })
  }

  /** Refuses, after the time to take it back. */
  refuse = (knock: Knock): void => {
    if (this.timers.has(knock.id)) return
    this.timers.set(knock.id, setTimeout(() => void this.send(knock.id), undoFor))
    this.derive()
  }

  undo = (knock: Knock): void => {
    clearTimeout(this.timers.get(knock.id))
    this.timers.delete(knock.id)
    this.derive()
  }

  /** Sends what was refused at once: the page is closing. */
  flush = (): void => {
    for (const id of [...this.timers.keys()]) void this.send(id, true)
  }

  dispose = (): void => {
    this.flush()
    this.unsubscribe()
  }

  private async send(id: string, keepalive = false): Promise<void> {
    clearTimeout(this.timers.get(id))
    await this.decide([id], async () => this.channel.learn(await this.calls.deny(this.meetingID, id, keepalive)))
    this.timers.delete(id)
    this.derive()
  }

  private async decide(ids: string[], act: () => Promise<void>): Promise<void> {
    this.current.update((state) => ({ ...state, busy: new Set([...state.busy, ...ids]), error: null }))
    try {
      await act()
    } catch (error) {
      this.current.update((state) => ({ ...state, error }))
    } finally {
      this.current.update((state) => ({ ...state, busy: new Set([...state.busy].filter((id) => !ids.includes(id))) }))
    }
  }

  private derive(): void {
    const all = this.channel.view.get().knocks
    const knocks = all.filter((knock) => knock.status === 'waiting')
    this.current.update((state) => ({
      ...state,
      waiting: knocks.filter((knock) => !this.timers.has(knock.id)),
      refused: knocks.filter((knock) => this.timers.has(knock.id)),
      shut: all.filter((knock) => knock.status === 'denied'),
    }))
  }
}

/** A name that a host should look at before letting in. */
export function doubtful(knock: Knock): boolean {
  return knock.name_differs || knock.name_suspicious
}
