// Rings at once, and then gathers for five seconds what comes in: a crowd at the door is one sound, not twelve.
const mergeFor = 5_000

export class Bell<T> {
  private gathered: T[] = []
  private timer: ReturnType<typeof setTimeout> | undefined
  private quietUntil = 0

  /** tell is given everything that came since it last rang, oldest first. */
  constructor(private tell: (items: T[]) => void = () => undefined) {}

  /** Who is told from now on. */
  answer(tell: (items: T[]) => void): void {
    this.tell = tell
  }

  ring(...items: T[]): void {
    if (items.length === 0) return
    this.gathered.push(...items)
    const wait = this.quietUntil - Date.now()
    if (wait <= 0) this.toll()
    else this.timer ??= setTimeout(() => this.toll(), wait)
  }

  stop(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.gathered = []
  }

  private toll(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.quietUntil = Date.now() + mergeFor
    this.tell(this.gathered.splice(0))
  }
}
