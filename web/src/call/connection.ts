// The life of the connection: how the call comes in, comes back by itself, and is over.
//
//	joining ──▶ live ◀──▶ reconnecting          LiveKit resumes by itself
//	   │          │            │
//	   │          └─ gave up ──┤                 then we join again with a fresh token, with back-off
//	   └──────────── over ◀────┘                 left, removed, ended, elsewhere, refused: nobody comes back by itself
import { RoomEvent, type DisconnectReason } from 'livekit-client'
import type { MediaGrant } from '@/api'
import { backOff } from '@/api/socket'
import { overBy, overByProblem, type Over } from './outcome'
import type { Phase, Shared } from './state'

interface Hooks {
  /** Asks the server anew for each join whether one may be in. */
  grant: () => Promise<MediaGrant>
  random: () => number
  /** Whether the server may send all there is from the first moment. */
  everything: () => boolean
  /** In the room: by a join of ours, or resumed by LiveKit with everything that was published. */
  onLive: (by: 'join' | 'resume') => void
  /** About to be over; the room is still there. */
  onOver: () => void
}

export class Connection {
  private timer: ReturnType<typeof setTimeout> | undefined
  private attempt = 0
  private joining = false

  constructor(private readonly shared: Shared, private readonly hooks: Hooks) {
    const { room } = shared
    room.on(RoomEvent.Reconnecting, () => this.interrupted())
    room.on(RoomEvent.SignalReconnecting, () => this.interrupted())
    room.on(RoomEvent.Reconnected, () => this.live('resume', this.phase))
    room.on(RoomEvent.Disconnected, (reason) => this.disconnected(reason))
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

  /** Ends the wait before the next try. */
  retryNow(): void {
    const { phase } = this
    if (phase.is === 'reconnecting' && phase.retryAt !== null) void this.join()
  }

  /** Over for good; the devices are let go of. */
  finish(why: Over): void {
    if (this.isOver()) return
    clearTimeout(this.timer)
    this.hooks.onOver()
    this.enter({ is: 'over', why })
    void this.shared.room.disconnect(true)
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
