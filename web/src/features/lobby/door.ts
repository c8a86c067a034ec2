// The host's hand on the door: who waits, and decisions on the way to the server.
import { agent, Store, type HostChannel, type Knock, type Permissions, type Readable } from '@/api'

/** A refusal can be taken back for this long before it reaches the server. */
export const undoFor = 8_000

export interface DoorState {
  waiting: readonly Knock[]
  /** Refused here, not yet at the server. */
  refused: readonly Knock[]
  /** Refused, removed or banned earlier; a host may let them ask again. */
  shut: readonly Knock[]
  /** Decisions under way, by knock. */
  busy: ReadonlySet<string>
  error: unknown
}

type Calls = Pick<typeof agent, 'admit' | 'deny' | 'admitAll' | 'lift' | 'ban' | 'write' | 'writeAll' | 'sendBack' | 'permit'>

const server: Calls = {
  admit: agent.admit, deny: agent.deny, admitAll: agent.admitAll, lift: agent.lift, ban: agent.ban,
  write: agent.write, writeAll: agent.writeAll, sendBack: agent.sendBack, permit: agent.permit,
}

interface Refusal {
  timer: ReturnType<typeof setTimeout>
  message: string
}

export class Door {
  private readonly current = new Store<DoorState>({ waiting: [], refused: [], shut: [], busy: new Set(), error: null })
  readonly state: Readable<DoorState> = this.current
  private readonly refusals = new Map<string, Refusal>()
  private readonly unsubscribe: () => void

  constructor(private readonly meetingID: string, private readonly channel: Pick<HostChannel, 'view' | 'learn'>, private readonly calls: Calls = server) {
    this.unsubscribe = channel.view.subscribe(() => this.derive())
    this.derive()
  }

  /** Without permissions: everything. */
  admit = (knock: Knock, permissions?: Permissions): Promise<void> =>
    this.decide([knock.id], async () => this.channel.learn(await this.calls.admit(this.meetingID, knock.id, permissions)))

  lift = (knock: Knock): Promise<void> => this.decide([knock.id], async () => this.channel.learn(await this.calls.lift(this.meetingID, knock.id)))

  /** Keeps a person out, whether they wait or are in. What it throws is also in the state. */
  ban = (knock: Knock): Promise<void> => this.decide([knock.id], async () => this.channel.learn(await this.calls.ban(this.meetingID, knock.id)))

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
  refuse = (knock: Knock, message = ''): void => {
    if (this.refusals.has(knock.id)) return
    this.refusals.set(knock.id, { message, timer: setTimeout(() => void this.send(knock.id), undoFor) })
    this.derive()
  }

  undo = (knock: Knock): void => {
    clearTimeout(this.refusals.get(knock.id)?.timer)
    this.refusals.delete(knock.id)
    this.derive()
  }

  /** Writes to one who waits. Throws the Problem, so that what was typed stays. */
  write = async (knock: Knock, text: string): Promise<void> => this.channel.learn(await this.calls.write(this.meetingID, knock.id, text))

  /** Writes to everybody who waits, those being refused included. Throws the Problem. */
  writeAll = async (text: string): Promise<void> => {
    const { knocks } = await this.calls.writeAll(this.meetingID, text)
    for (const knock of knocks) this.channel.learn(knock)
  }

  /** From the call back to the lobby. */
  sendBack = async (identity: string): Promise<void> => this.channel.learn(await this.calls.sendBack(this.meetingID, identity))

  /** What somebody in the call may do from now on. */
  permit = async (identity: string, permissions: Permissions): Promise<void> => {
    const { knock } = await this.calls.permit(this.meetingID, identity, permissions)
    if (knock) this.channel.learn(knock)
  }

  /** What hosts gave somebody in the call. */
  given = (identity: string): Permissions => this.admitted(identity)?.permissions ?? this.channel.view.get().participants.find((one) => one.identity === identity)?.permissions ?? {}

  /** The admission behind somebody in the call; undefined for who needed none. */
  admitted = (identity: string): Knock | undefined => {
    const { knocks, participants } = this.channel.view.get()
    const by = participants.find((one) => one.identity === identity)?.knock
    return knocks.find((knock) => knock.status === 'admitted' && (knock.identity === identity || knock.id === by))
  }

  /** Sends what was refused at once: the page is closing. */
  flush = (): void => {
    for (const id of [...this.refusals.keys()]) void this.send(id, true)
  }

  dispose = (): void => {
    this.flush()
    this.unsubscribe()
  }

  private async send(id: string, keepalive = false): Promise<void> {
    const refusal = this.refusals.get(id)
    clearTimeout(refusal?.timer)
    await this.decide([id], async () => this.channel.learn(await this.calls.deny(this.meetingID, id, refusal?.message ?? '', keepalive)))
    this.refusals.delete(id)
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
      waiting: knocks.filter((knock) => !this.refusals.has(knock.id)),
      refused: knocks.filter((knock) => this.refusals.has(knock.id)),
      shut: all.filter((knock) => knock.status === 'denied'),
    }))
  }
}

/** A name that a host should look at before letting in. */
export function doubtful(knock: Knock): boolean {
  return knock.name_differs || knock.name_suspicious
}

/** Those a search finds, by name, organisation or link. */
export function found(waiting: readonly Knock[], search: string): readonly Knock[] {
  const plain = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
  const words = plain(search).split(/\s+/).filter(Boolean)
  if (words.length === 0) return waiting
  return waiting.filter((knock) => {
    const said = plain([knock.name, knock.organisation ?? '', knock.link?.label ?? '', knock.link?.guest_name ?? ''].join(' '))
    return words.every((word) => said.includes(word))
  })
}
