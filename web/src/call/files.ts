// Files on their way from this person, one after the other, and what the server said where one did not go.
import { isProblem, Store, type CallFile, type CallMessage, type Readable } from '@/api'
import type { FileCalls } from '@/api/files'

/** What of a file in a browser is needed to send it. */
export type Sendable = Blob & { readonly name: string }

export interface Upload {
  id: string
  name: string
  size: number
  /** Bytes that have gone. */
  sent: number
  state: 'waiting' | 'sending' | 'failed'
  /** Why it did not go. */
  error: unknown
}

export interface FilesState {
  uploads: readonly Upload[]
  /** Ids of files being fetched. */
  fetching: readonly string[]
  /** Of fetching or deleting one. */
  error: unknown
}

type Under = { upload: Upload; file: Sendable; to: string; abort: AbortController }

/** How often one that came too soon is tried again. */
const tries = 8

export class Files {
  private readonly current = new Store<FilesState>({ uploads: [], fetching: [], error: null })
  readonly state: Readable<FilesState> = this.current
  private all: readonly Under[] = []
  private next = 0
  private busy = false

  constructor(private readonly calls: FileCalls, private readonly arrived: (message: CallMessage) => void, private readonly wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))) {}

  /** Sends them, for whom the chat's draft is. */
  send = (files: Iterable<Sendable>, to: string): void => {
    const fresh = [...files].map((file) => ({ file, to, abort: new AbortController(), upload: { id: `upload-${this.next++}`, name: file.name, size: file.size, sent: 0, state: 'waiting' as const, error: null } }))
    this.keep([...this.all, ...fresh])
    void this.work()
  }

  /** Gives one up, also one that failed. */
  cancel = (id: string): void => {
    this.all.find(({ upload }) => upload.id === id)?.abort.abort()
    this.keep(this.all.filter(({ upload }) => upload.id !== id))
  }

  again = (id: string): void => {
    this.change(id, { state: 'waiting', sent: 0, error: null })
    void this.work()
  }

  /** The file's content, or null: then the state has why. */
  fetch = async (file: CallFile): Promise<Blob | null> => {
    if (this.current.get().fetching.includes(file.id)) return null
    this.current.update((state) => ({ ...state, error: null, fetching: [...state.fetching, file.id] }))
    try {
      return await this.calls.get(file.id)
    } catch (error) {
      this.current.update((state) => ({ ...state, error }))
      return null
    } finally {
      this.current.update((state) => ({ ...state, fetching: state.fetching.filter((id) => id !== file.id) }))
    }
  }

  remove = async (file: CallFile): Promise<void> => {
    this.current.update((state) => ({ ...state, error: null }))
    await this.calls.remove(file.id).catch((error: unknown) => this.current.update((state) => ({ ...state, error })))
  }

  dismiss = (): void => this.current.update((state) => ({ ...state, error: null }))

  /** Ends what is on its way. */
  close(): void {
    for (const { abort } of this.all) abort.abort()
    this.keep([])
  }

  private async work(): Promise<void> {
    if (this.busy) return
    this.busy = true
    try {
      for (let one = this.waiting(); one; one = this.waiting()) await this.pass(one)
    } finally {
      this.busy = false
    }
  }

  private waiting(): Under | undefined {
    return this.all.find(({ upload }) => upload.state === 'waiting')
  }

  private async pass({ upload: { id }, file, to, abort }: Under): Promise<void> {
    this.change(id, { state: 'sending' })
    try {
      const { id: place } = await this.announce(file, to, abort.signal)
      const message = await this.calls.send(place, file, (sent) => this.change(id, { sent }), abort.signal)
      this.keep(this.all.filter(({ upload }) => upload.id !== id))
      this.arrived(message)
    } catch (error) {
      this.change(id, { state: 'failed', error })
    }
  }

  private async announce(file: Sendable, to: string, signal: AbortSignal): Promise<CallFile> {
    for (let left = tries; ; left--) {
      try {
        signal.throwIfAborted()
        return await this.calls.announce({ name: file.name, size: file.size, type: file.type, to })
      } catch (error) {
        if (left <= 1 || !isProblem(error, 'too-many')) throw error
        await this.wait((error.retryAfter ?? 1) * 1000)
      }
    }
  }

  /** One that was given up meanwhile changes no more. */
  private change(id: string, part: Partial<Upload>): void {
    this.keep(this.all.map((one) => (one.upload.id === id ? { ...one, upload: { ...one.upload, ...part } } : one)))
  }

  private keep(all: readonly Under[]): void {
    this.all = all
    this.current.update((state) => ({ ...state, uploads: all.map(({ upload }) => upload) }))
  }
}
