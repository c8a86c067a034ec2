// The life of the connection: how the call comes in, comes back by itself, and is over.
//
//	joining ──▶ live ◀──▶ reconnecting          LiveKit resumes by itself
//	   │          │            │
//	   │          └─ gave up ──┤                 then we join again with a fresh token, with back-off
//	   └──────────── over ◀────┘                 left, removed, ended, elsewhere, refused: nobody comes back by itself
//
// A network that changed and a machine that woke are not waited for: a connection that looks live is resumed, a wait ends.
import { ConnectionState, RoomEvent, type DisconnectReason } from 'livekit-client'
import type { MediaGrant } from '@/api'
import { backOff } from '@/api/socket'
import { overBy, overByProblem, type Over } from './outcome'
import type { Retries } from './retries'
import type { Phase, Shared } from './state'

interface Hooks {
  /** Asks the server anew for each join whether one may be in. */
  grant: () => Promise<MediaGrant>
  random: () => number
  /** When LiveKit tries by itself. */
  retries: Retries
  /** Whether the server may send all there is from the first moment. */
  everything: () => boolean
  /** In the room: by a join of ours, or resumed by LiveKit with everything that was published. */
  onLive: (by: 'join' | 'resume') => void
  /** About to be over; the room is still there. */
  onOver: (why: Over) => void
}

export class Connection {
  private timer: ReturnType<typeof setTimeout> | undefined
  private attempt = 0
  private joining = false
  private gone = false

  constructor(private readonly shared: Shared, private readonly hooks: Hooks) {
    const { room } = shared
    room.on(RoomEvent.Reconnecting, () => this.interrupted())
    room.on(RoomEvent.SignalReconnecting, () => this.interrupted())
    room.on(RoomEvent.Reconnected, () => this.live('resume', this.phase))
    room.on(RoomEvent.Disconnected, (reason) => this.disconnected(reason))
    hooks.retries.onPlan = (tries, delay) => this.planned(tries, delay)
  }

  get phase(): Phase {
    return this.shared.state.get().phase
  }

  isOver(): boolean {
    return this.phase.is === 'over'
  }

  async join(): Promise<void> {
    if (this.joining || this.isOver()) return
    this.joining = true
    clearTimeout(this.timer)
    const before = this.phase
    if (before.is === 'reconnecting') this.enter({ ...before, retryAt: null, tries: before.tries + 1 })
    const { room } = this.shared
    try {
      const { url, token } = await this.hooks.grant()
      if (this.isOver()) return
      await room.connect(url, token, { autoSubscribe: this.hooks.everything() })
      if (this.isOver()) return void room.disconnect()
      this.attempt = 0
      this.live('join', before)
    } catch (error) {
      const over = overByProblem(error)
      if (over) this.finish(over)
      else this.later()
    } finally {
      this.joining = false
    }
  }

  /** Ends the wait before the next try, whoever waits; a try under way is left to it. */
  retryNow(): void {
    const { phase } = this
    if (phase.is === 'reconnecting' && phase.retryAt !== null && phase.retryAt > Date.now()) void this.anew()
  }

  /** The network went, changed, or the machine slept: what looks like a connection may be none. */
  networkGone(): void {
    this.gone = true
  }

  networkBack(): void {
    const { gone } = this
    this.gone = false
    // The name is LiveKit's: its signal connection is opened anew and the transports restart, all tracks stay.
    if (gone && this.phase.is === 'live') void this.shared.room.simulateScenario('signal-reconnect').catch(() => undefined)
    else this.retryNow()
  }

  /** Over for good; the devices are let go of. */
  finish(why: Over): void {
    if (this.isOver()) return
    clearTimeout(this.timer)
    this.hooks.onOver(why)
    this.enter({ is: 'over', why })
    void this.shared.room.disconnect(true)
  }

  /** Joins now, even while LiveKit waits for a try of its own: that connection is given up. */
  private async anew(): Promise<void> {
    const { room } = this.shared
    if (this.joining) return
    if (room.state !== ConnectionState.Disconnected) {
      this.joining = true
      try {
        await room.disconnect()
      } finally {
        this.joining = false
      }
    }
    await this.join()
  }

  /** LiveKit has lost the connection and tries by itself after the delay. */
  private planned(tries: number, delay: number): void {
    const { phase } = this
    if (this.joining || (phase.is !== 'live' && phase.is !== 'reconnecting')) return
    this.enter({ is: 'reconnecting', since: phase.is === 'reconnecting' ? phase.since : Date.now(), tries, retryAt: Date.now() + delay })
  }

  private live(by: 'join' | 'resume', before: Phase): void {
    this.enter({ is: 'live', since: Date.now() })
    if (before.is === 'reconnecting') this.shared.tell({ is: 'back' })
    this.hooks.onLive(by)
  }

  private later(): void {
    if (this.isOver()) return
    const { phase } = this
    const delay = backOff(this.attempt++, this.hooks.random)
    const since = phase.is === 'reconnecting' ? phase.since : Date.now()
    const tries = phase.is === 'reconnecting' ? phase.tries : 0
    this.enter({ is: 'reconnecting', since, tries, retryAt: Date.now() + delay })
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.join(), delay)
  }

  private interrupted(): void {
    if (this.phase.is === 'live') this.enter({ is: 'reconnecting', since: Date.now(), tries: 0, retryAt: null })
  }

  private disconnected(reason: DisconnectReason | undefined): void {
    if (this.isOver()) return
    const over = overBy(reason)
    if (over) this.finish(over)
    else if (!this.joining) this.later()
  }

  private enter(phase: Phase): void {
    this.shared.state.update((state) => ({ ...state, phase }))
  }
}
