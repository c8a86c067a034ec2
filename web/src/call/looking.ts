// A look at the server that has to succeed: it is repeated with a growing pause for as long as the call lives. What nothing
// else tells of is lost for good to whoever looks once.
import { isProblem } from '@/api'
import { backOff } from '@/api/socket'

/** What a server that asks for more time is given of it at most, in seconds. */
const longestAsked = 15
/** What trying again does not change: no session, no right, no such thing. */
const lasting: readonly number[] = [401, 403, 404]

interface Options {
  /** Tells whether the call is connected: nobody looks meanwhile, and whoever returns looks at once (now). */
  lives: () => boolean
  /** Milliseconds after which a look without an answer has failed; without it that is left to the browser. */
  patience?: number
  random?: () => number
}

export class Looking {
  private timer: ReturnType<typeof setTimeout> | undefined
  private under: AbortController | null = null
  private attempt = 0
  private waiting = false
  private succeeded = true

  /** look gives false where the server does not know yet what is looked for. It takes nothing once its signal is aborted. */
  constructor(private readonly look: (signal: AbortSignal) => Promise<boolean>, private readonly options: Options) {}

  /** A look is under way, or will be by itself. */
  get trying(): boolean {
    return this.under !== null || this.waiting
  }

  /** The last look succeeded. */
  get seen(): boolean {
    return this.succeeded
  }

  /** Looks at once, instead of one that is under way. */
  now = (): void => {
    this.attempt = 0
    this.succeeded = false
    this.begin()
  }

  /** Ends what is under way, and tries no more until now is called. */
  stop = (): void => {
    clearTimeout(this.timer)
    this.waiting = false
    this.under?.abort()
    this.under = null
  }

  private begin(): void {
    this.stop()
    const { lives, patience } = this.options
    if (!lives()) return
    const own = new AbortController()
    this.under = own
    if (patience !== undefined) this.timer = setTimeout(() => this.failed(own, undefined), patience)
    this.look(own.signal).then(
      (seen) => {
        if (!seen) return this.failed(own, undefined)
        if (this.under !== own) return
        this.stop()
        this.succeeded = true
      },
      (error: unknown) => this.failed(own, error),
    )
  }

  private failed(own: AbortController, error: unknown): void {
    if (this.under !== own) return
    this.stop()
    const { lives, random = Math.random } = this.options
    if (!lives() || (isProblem(error) && lasting.includes(error.status))) return
    const asked = isProblem(error) ? (error.retryAfter ?? 0) : 0
    this.waiting = true
    this.timer = setTimeout(() => this.begin(), Math.max(backOff(this.attempt++, random), Math.min(asked, longestAsked) * 1_000))
  }
}
