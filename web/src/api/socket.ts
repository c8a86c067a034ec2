// A WebSocket that comes back by itself. Its state is told truthfully: "open" only after the server has spoken.
//
//	connecting ── first message ──▶ open
//	    ▲                            │ closed, network gone, machine slept
//	    └──── back-off, "now" ─── lost
//	refused (4401, 4403, 4410): the server will not have us; nobody tries again
import { Store, type Readable } from './store'

export type SocketState =
  | { is: 'connecting' }
  | { is: 'open' }
  | { is: 'lost'; since: number; retryAt: number }
  | { is: 'refused' }

/** What is used of a browser's WebSocket. */
export interface SocketLike {
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number }) => void) | null
  send(data: string): void
  close(): void
}

interface Options {
  open: () => SocketLike
  /** First frames to send on each connection. */
  greet?: (send: (message: unknown) => void) => void
  onMessage: (message: unknown) => void
  /** Calls back when the network is back or the machine wakes, and tells when it is gone. */
  network?: Network
  random?: () => number
}

export interface Network {
  watch(back: () => void, gone: () => void): () => void
}

const firstDelay = 500
const longestDelay = 10_000
// Codes of ours (contract of the API): no session, no right.
const refusals = new Set([4401, 4403, 4410])

/** Milliseconds before try n (from 0): doubling, at most 10 s, up to a fifth less so that a restarted server is not met by all at once. */
export function backOff(attempt: number, random: () => number): number {
  const full = Math.min(longestDelay, firstDelay * 2 ** Math.min(attempt, 10))
  return Math.round(full * (1 - 0.2 * random()))
}

export class LiveSocket {
  private readonly current = new Store<SocketState>({ is: 'connecting' })
  readonly state: Readable<SocketState> = this.current
  private socket: SocketLike | null = null
  private timer: ReturnType<typeof setTimeout> | undefined
  private attempt = 0
  private closed = false
  private unwatch: () => void = () => undefined

  constructor(private readonly options: Options) {}

  /** Connects, once; from here on it comes back by itself until it is closed. */
  start(): void {
    this.unwatch = this.options.network?.watch(() => this.retryNow(), () => this.drop()) ?? this.unwatch
    this.connect()
  }

  /** Sends when connected; what cannot be sent is forgotten, since every connection starts with a fresh state from the server. */
  send(message: unknown): boolean {
    if (!this.socket || this.current.get().is !== 'open') return false
    this.socket.send(JSON.stringify(message))
    return true
  }

  /** Ends the wait before the next try. */
  retryNow(): void {
    if (this.closed || this.current.get().is !== 'lost') return
    this.connect()
  }

  close(): void {
    this.closed = true
    this.unwatch()
    clearTimeout(this.timer)
    this.abandon()
  }

  private connect(): void {
    clearTimeout(this.timer)
    this.abandon()
    const socket = this.options.open()
    this.socket = socket
    socket.onopen = () => this.options.greet?.((message) => socket.send(JSON.stringify(message)))
    socket.onmessage = (event) => {
      this.attempt = 0
      this.current.set({ is: 'open' })
      if (typeof event.data === 'string') this.options.onMessage(JSON.parse(event.data))
    }
    socket.onclose = (event) => {
      this.socket = null
      if (refusals.has(event.code)) this.current.set({ is: 'refused' })
      else this.lose()
    }
  }

  private drop(): void {
    if (this.closed || !this.socket) return
    this.abandon()
    this.lose()
  }

  private lose(): void {
    const before = this.current.get()
    const delay = backOff(this.attempt++, this.options.random ?? Math.random)
    const now = Date.now()
    this.current.set({ is: 'lost', since: before.is === 'lost' ? before.since : now, retryAt: now + delay })
    this.timer = setTimeout(() => this.connect(), delay)
  }

  private abandon(): void {
    const socket = this.socket
    if (!socket) return
    this.socket = null
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close()
  }
}

const wakeCheck = 5_000
const sleptAfter = 20_000
// Browsers wake the timers of a hidden page once a minute.
const throttledAfter = 90_000

/** The browser's own signs: offline and online events, another kind of network, and a clock that jumped because the machine slept. */
export const browserNetwork: Network = {
  watch(back, gone) {
    const anew = () => {
      gone()
      back()
    }
    let last = Date.now()
    const clock = setInterval(() => {
      const now = Date.now()
      if (now - last > (document.visibilityState === 'visible' ? sleptAfter : throttledAfter)) anew()
      last = now
    }, wakeCheck)
    // Phones alone tell the type; everywhere the event also comes when an estimate of the speed changes.
    const { connection } = navigator as { connection?: EventTarget & { type?: string } }
    let type = connection?.type
    const changed = () => {
      if (connection?.type !== type) anew()
      type = connection?.type
    }
    connection?.addEventListener('change', changed)
    const seen = () => {
      if (document.visibilityState === 'visible') back()
    }
    addEventListener('online', back)
    addEventListener('offline', gone)
    document.addEventListener('visibilitychange', seen)
    return () => {
      clearInterval(clock)
      connection?.removeEventListener('change', changed)
      removeEventListener('online', back)
      removeEventListener('offline', gone)
      document.removeEventListener('visibilitychange', seen)
    }
  },
}

/** Opens a WebSocket of this origin below /api/v1. */
export function openSocket(path: string): SocketLike {
  const url = new URL(`/api/v1${path}`, location.href)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return new WebSocket(url) as SocketLike
}
