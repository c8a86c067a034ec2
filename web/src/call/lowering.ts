// Lowering hands, which a host may take back for a while before it reaches the server.
import type { Shared } from './state'

const undoFor = 8_000

export class Lowering {
  private timer: ReturnType<typeof setTimeout> | undefined

  /** send lowers a hand, or (null) all; nobody who is no host has it. */
  constructor(private readonly shared: Shared, private readonly send: ((identity: string | null) => Promise<unknown>) | undefined) {}

  /** Lowers somebody's hand, or all, after the time to take it back. */
  lower(identity: string | null): void {
    this.flush()
    this.shared.state.update((state) => ({ ...state, lowering: { identity } }))
    this.timer = setTimeout(() => this.flush(), undoFor)
  }

  undo(): void {
    clearTimeout(this.timer)
    this.shared.state.update((state) => ({ ...state, lowering: null }))
  }

  /** Ends the time to take it back. */
  flush(): void {
    const { lowering } = this.shared.state.get()
    this.undo()
    if (lowering) void this.send?.(lowering.identity).catch(() => undefined)
  }
}
