// The network check: how well a call would go from here, in one word, with the figures behind it. The media is in
// networkLab.ts; here is what is asked of it, in which order, and what follows.
import { isProblem, Store, type Readable } from '@/api'
import type { NetworkCalls } from '@/api/network'

/** How media goes to the server. */
export type Way = 'udp' | 'tcp' | 'relay'
export const ways: readonly Way[] = ['udp', 'tcp', 'relay']

/** absent: this server does not have it. */
export type Passage = 'passes' | 'blocked' | 'absent'

/**
 * What a call would be like: with picture, with a small one, with sound alone, hardly understood, or none at all.
 */
export type Verdict = 'picture' | 'small' | 'sound' | 'weak' | 'none'

/** What was measured on the way that a call would take. Rates in bit/s, times in ms, losses from 0 to 1. */
export interface Figures {
  way: Way | null
  up: number
  down: number
  lossUp: number
  lossDown: number
  delay: number
  jitter: number
}

export interface Report {
  verdict: Verdict
  passages: Readonly<Record<Way, Passage>>
  figures: Figures | null
  at: Date
}

export type CheckStep = 'opening' | 'measuring' | 'ways'
export type NetworkState =
  | { is: 'idle' }
  | { is: 'running'; step: CheckStep }
  | { is: 'done'; report: Report }
  | { is: 'failed'; why: 'later' | 'offline' }

/** Counters of the sending half, as of now. */
export interface Sent {
  at: number
  bytes: number
  /** What the browser believes that the way up carries; null: it does not say. */
  available: number | null
  loss: number | null
  delay: number | null
  way: Way | null
}

/** Counters of the receiving half, as of now. */
export interface Received {
  at: number
  bytes: number
  packets: number
  lost: number
  jitter: number
}

export interface Sending { stats: () => Promise<Sent>; close: () => Promise<void> }
export interface Receiving { stats: () => Promise<Received>; close: () => Promise<void> }

/** Media for a check. Each call fails when no connection comes up. */
export interface Lab {
  send: (url: string, token: string) => Promise<Sending>
  /** sound alone is little enough to run beside a measurement. */
  receive: (url: string, token: string, what: 'all' | 'sound') => Promise<Receiving>
}

// The first two seconds are the estimate's way up from nothing, and are not counted.
const settling = 2_000
const measured = 5_000
const every = 500

export class NetworkTest {
  private readonly current = new Store<NetworkState>({ is: 'idle' })
  readonly state: Readable<NetworkState> = this.current
  private turn = 0

  constructor(private readonly calls: NetworkCalls, private readonly lab: () => Promise<Lab>) {}

  /** Runs a check; whoever asks again meanwhile gets the same one. */
  async run(): Promise<void> {
    if (this.current.get().is === 'running') return
    const turn = ++this.turn
    const show = (state: NetworkState) => turn === this.turn && this.current.set(state)
    const open: { close: () => Promise<void> }[] = []
    show({ is: 'running', step: 'opening' })
    let begun = false
    try {
      const [lab, room] = await Promise.all([this.lab(), this.calls.begin()])
      begun = true
      const keep = <T extends { close: () => Promise<void> }>(one: T): T => (open.push(one), one)
      const tokens = new Map(room.receivers.map(({ way, token }) => [way, token]))
      let figures: Figures | null = null
      let sending: Sending | null = null
      try {
        sending = keep(await lab.send(room.url, room.sender))
        const receiving = keep(await lab.receive(room.url, tokens.get('any') ?? '', 'all'))
        show({ is: 'running', step: 'measuring' })
        figures = await measure(sending, receiving, () => turn === this.turn)
      } catch {
        // No connection comes up by itself: which ways there are is still worth knowing.
      }
      show({ is: 'running', step: 'ways' })
      const passages = await this.passages(lab, room.url, tokens, sending !== null, keep)
      show({ is: 'done', report: { verdict: verdict(figures, passages), passages, figures, at: new Date() } })
    } catch (error) {
      show({ is: 'failed', why: isProblem(error, 'too-many', 'unavailable') ? 'later' : 'offline' })
    } finally {
      await Promise.allSettled(open.map((one) => one.close()))
      if (begun) await this.calls.end().catch(() => undefined) // it ends by itself soon
    }
  }

  /** Forgets a check that runs; it ends behind the scenes. */
  dispose(): void {
    this.turn++
  }

  private async passages(lab: Lab, url: string, tokens: ReadonlyMap<string, string>, sends: boolean, keep: (one: Receiving) => Receiving): Promise<Record<Way, Passage>> {
    const found = await Promise.all(
      ways.map(async (way): Promise<[Way, Passage]> => {
        const token = tokens.get(way)
        if (token === undefined) return [way, 'absent']
        try {
          const receiving = keep(await lab.receive(url, token, 'sound'))
          if (!sends || (await arrives(receiving))) return [way, 'passes']
        } catch {
          // No connection by this way.
        }
        return [way, 'blocked']
      }),
    )
    return Object.fromEntries(found) as Record<Way, Passage>
  }
}

const wait = (ms: number) => new Promise<void>((done) => setTimeout(done, ms))

async function arrives(receiving: Receiving): Promise<boolean> {
  for (let waited = 0; waited < 4_000; waited += every) {
    if ((await receiving.stats()).packets > 0) return true
    await wait(every)
  }
  return false
}

async function measure(sending: Sending, receiving: Receiving, wanted: () => boolean): Promise<Figures | null> {
  await wait(settling)
  const [sent, received] = await Promise.all([sending.stats(), receiving.stats()])
  const samples: Sent[] = []
  const jitters: number[] = []
  let [lastSent, lastReceived] = [sent, received]
  for (let passed = 0; passed < measured; passed += every) {
    await wait(every)
    if (!wanted()) return null
    ;[lastSent, lastReceived] = await Promise.all([sending.stats(), receiving.stats()])
    samples.push(lastSent)
    jitters.push(lastReceived.jitter)
  }
  const packets = lastReceived.packets - received.packets
  if (packets <= 0) return null
  const lost = Math.max(0, lastReceived.lost - received.lost)
  const known = (pick: (one: Sent) => number | null) => samples.map(pick).filter((value) => value !== null)
  const sentRate = rate(sent, lastSent)
  return {
    way: lastSent.way,
    // What was sent was carried; what the browser believes may be more, and is a guess until then.
    up: Math.max(sentRate, median(known((one) => one.available)) ?? 0),
    down: rate(received, lastReceived),
    lossUp: median(known((one) => one.loss)) ?? 0,
    lossDown: lost / (lost + packets),
    delay: median(known((one) => one.delay)) ?? 0,
    jitter: median(jitters) ?? 0,
  }
}

function rate(from: { at: number; bytes: number }, to: { at: number; bytes: number }): number {
  return to.at > from.at ? ((to.bytes - from.bytes) * 8_000) / (to.at - from.at) : 0
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? null
}

/**
 * One word for the figures. The bounds are those of the media: 720p takes 1.2 Mbit/s at least and its smallest layer 150 kbit/s, Opus with
 * redundancy is understood at 20 % loss and 40 kbit/s, and people talk over each other beyond half a second of delay.
 */
export function verdict(figures: Figures | null, passages: Readonly<Record<Way, Passage>>): Verdict {
  if (!figures) return ways.some((way) => passages[way] === 'passes') ? 'weak' : 'none'
  const carried = Math.min(figures.up, figures.down)
  const loss = Math.max(figures.lossUp, figures.lossDown)
  if (carried < 40_000 || loss > 0.2 || figures.delay > 1_000) return 'weak'
  if (carried < 200_000 || loss > 0.08 || figures.delay > 500) return 'sound'
  if (carried < 1_000_000 || loss > 0.03 || figures.delay > 300) return 'small'
  return 'picture'
}

/** The sheet for those who help, in plain text. */
export function sheet({ figures, passages, verdict, at }: Report, from: string): string {
  const lines = [`Aparté network check, ${at.toISOString()}`, from, `verdict: ${verdict}`, ...ways.map((way) => `${way}: ${passages[way]}`)]
  if (figures) {
    const { up, down, lossUp, lossDown, delay, jitter, way } = figures
    lines.push(`way: ${way ?? 'unknown'}`, `up: ${Math.round(up / 1000)} kbit/s`, `down: ${Math.round(down / 1000)} kbit/s`, `loss up: ${percent(lossUp)}`, `loss down: ${percent(lossDown)}`, `round trip: ${Math.round(delay)} ms`, `jitter: ${Math.round(jitter)} ms`)
  }
  return lines.join('\n')
}

const percent = (part: number) => `${(part * 100).toFixed(1)} %`
