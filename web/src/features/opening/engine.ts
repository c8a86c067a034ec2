// The page's end of the worker. Ending it ends everything that it knew, the private key above all.
import address from './worker?worker&url'
import { OpeningError, type Ask, type Made, type Opened, type Part, type Report, type Told } from './messages'

// The script of a worker is a sink of Trusted Types. This is the page's one policy, which the server allows on this page
// alone (web/embed.go) and once: whatever it is asked for, it gives this address.
interface Policies { createPolicy: (name: string, rules: { createScriptURL: () => string }) => { createScriptURL: (any: string) => string } }
const policies = (globalThis as { trustedTypes?: Policies }).trustedTypes
let script: string | undefined
const trusted = (): string => (script ??= policies?.createPolicy('opener', { createScriptURL: () => address }).createScriptURL('') ?? address)

export class Engine {
  private readonly worker = new Worker(trusted(), { type: 'module' })
  private waiting: { done: (told: Told) => void; progress: (share: number) => void } | null = null
  /** Once all that is needed of the network is there; or why not. */
  readonly ready: Promise<void>

  constructor() {
    this.ready = new Promise((resolve, reject) => {
      this.worker.onmessage = ({ data }: MessageEvent<Told>) => {
        if (data.told === 'ready') resolve()
        else if (data.told === 'progress') this.waiting?.progress(data.of > 0 ? data.done / data.of : 0)
        else if (this.waiting) this.answer(data)
        else if (data.told === 'failed') reject(new OpeningError(data.failure))
      }
      this.worker.onerror = (event) => {
        const told: Told = { told: 'failed', failure: { code: 'failed', detail: event.message } }
        this.answer(told)
        reject(new OpeningError(told.failure))
      }
    })
    this.ready.catch(() => undefined) // whoever asks for something is told
  }

  private answer(told: Told): void {
    const { waiting } = this
    this.waiting = null
    waiting?.done(told)
  }

  private async ask(ask: Ask, progress: (share: number) => void): Promise<Told> {
    await this.ready
    const told = await new Promise<Told>((done) => {
      this.waiting = { done, progress }
      this.worker.postMessage(ask)
    })
    if (told.told === 'failed') throw new OpeningError(told.failure)
    return told
  }

  async verify(parts: Part[], nodeKey: string, progress: (share: number) => void): Promise<Report> {
    const told = await this.ask({ ask: 'verify', parts, nodeKey }, progress)
    if (told.told !== 'verified') throw new Error(`the worker answered ${told.told}`)
    return told.report
  }

  async open(keys: Blob, how: { damaged: boolean; into: FileSystemDirectoryHandle | null; most: number }, progress: (share: number) => void): Promise<{ opened: Opened; files: Made[] }> {
    const told = await this.ask({ ask: 'open', keys, ...how }, progress)
    if (told.told !== 'opened') throw new Error(`the worker answered ${told.told}`)
    return told
  }

  end(): void {
    this.worker.terminate()
  }
}
