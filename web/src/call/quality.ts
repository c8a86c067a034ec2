// The connection as it is now, out of the statistics of the browser (webrtc-stats), for those who help.
import type { Room } from 'livekit-client'
import type { Way } from './network'

/** Rates in bit/s, times in ms, losses from 0 to 1; null: not known, or nothing of the kind. */
export interface Figures {
  delay: number | null
  jitter: number | null
  lossUp: number | null
  lossDown: number | null
  up: number | null
  down: number | null
  way: Way | null
  /** Width, height and codec of the largest picture each way. */
  sent: Picture | null
  received: Picture | null
}
export interface Picture { width: number; height: number; codec: string }

/** Counters as of one moment, which say something by what they have grown. */
export interface Counted { at: number; up: number; down: number; packets: number; lost: number }

type Stat = Record<string, unknown>
const number = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)
const ms = (value: unknown): number | null => {
  const seconds = number(value)
  return seconds === null ? null : seconds * 1000
}
const largest = (a: Picture | null, b: Picture | null): Picture | null => (!a || (b && b.width * b.height > a.width * a.height) ? b : a)
const worse = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.max(a, b))

/** What reports of all tracks say, compared with the counters before. */
export function read(reports: readonly (readonly Stat[])[], at: number, before: Counted | null): { figures: Figures; counted: Counted } {
  const figures: Figures = { delay: null, jitter: null, lossUp: null, lossDown: null, up: null, down: null, way: null, sent: null, received: null }
  const counted: Counted = { at, up: 0, down: 0, packets: 0, lost: 0 }
  for (const report of reports) {
    const byID = new Map(report.map((stat) => [stat['id'], stat]))
    for (const stat of report) {
      if (stat['type'] === 'outbound-rtp') {
        counted.up += (number(stat['bytesSent']) ?? 0) + (number(stat['headerBytesSent']) ?? 0)
        figures.sent = largest(figures.sent, picture(stat, byID))
      } else if (stat['type'] === 'inbound-rtp') {
        counted.down += (number(stat['bytesReceived']) ?? 0) + (number(stat['headerBytesReceived']) ?? 0)
        counted.packets += number(stat['packetsReceived']) ?? 0
        counted.lost += number(stat['packetsLost']) ?? 0
        figures.jitter = worse(figures.jitter, ms(stat['jitter']))
        figures.received = largest(figures.received, picture(stat, byID))
      } else if (stat['type'] === 'remote-inbound-rtp') {
        figures.lossUp = worse(figures.lossUp, number(stat['fractionLost']))
      } else if (stat['type'] === 'candidate-pair' && stat['nominated'] === true && stat['state'] === 'succeeded') {
        figures.delay = worse(figures.delay, ms(stat['currentRoundTripTime']))
        figures.way = wayOf(byID.get(stat['localCandidateId']), byID.get(stat['remoteCandidateId'])) ?? figures.way
      }
    }
  }
  // A track that has ended takes its counters with it: then there is nothing to compare.
  if (before && at > before.at) {
    const rate = (from: number, to: number) => (to < from ? null : ((to - from) * 8_000) / (at - before.at))
    figures.up = rate(before.up, counted.up)
    figures.down = rate(before.down, counted.down)
    const [packets, lost] = [counted.packets - before.packets, Math.max(0, counted.lost - before.lost)]
    if (packets > 0) figures.lossDown = lost / (lost + packets)
  }
  return { figures, counted }
}

function picture(stat: Stat, byID: ReadonlyMap<unknown, Stat>): Picture | null {
  const [width, height] = [number(stat['frameWidth']), number(stat['frameHeight'])]
  if (stat['kind'] !== 'video' || !width || !height || !number(stat['framesPerSecond'])) return null
  const codec = byID.get(stat['codecId'])?.['mimeType']
  return { width, height, codec: typeof codec === 'string' ? codec.replace('video/', '') : '' }
}

function wayOf(local: Stat | undefined, remote: Stat | undefined): Way | null {
  // The relay shows an address of its own, so that our side of it may count as peer reflexive.
  if (local?.['candidateType'] === 'relay' || typeof local?.['relayProtocol'] === 'string') return 'relay'
  const protocol = remote?.['protocol']
  return protocol === 'udp' || protocol === 'tcp' ? protocol : null
}

/** Follows a room's figures, one look after the other. */
export class Gauge {
  private before: Counted | null = null
  constructor(private readonly room: Room) {}

  look = async (): Promise<Figures> => {
    const tracks = [this.room.localParticipant, ...this.room.remoteParticipants.values()].flatMap((one) => [...one.trackPublications.values()]).flatMap(({ track }) => (track ? [track] : []))
    const reports = await Promise.all(tracks.map((track) => track.getRTCStatsReport().catch(() => undefined)))
    const { figures, counted } = read(reports.map((report) => [...(report?.values() ?? [])] as Stat[]), performance.now(), this.before)
    this.before = counted
    return figures
  }
}

/** The sheet for those who help, in plain text. */
export function sheet(figures: Figures, at: Date, from: string): string {
  const value = (of: number | null, unit: string, by = 1) => (of === null ? 'unknown' : `${Math.round(of / by)} ${unit}`)
  const part = (of: number | null) => (of === null ? 'unknown' : `${(of * 100).toFixed(1)} %`)
  const seen = (of: Picture | null) => (of ? `${of.width}x${of.height} ${of.codec}` : 'none')
  return [
    `Aparté connection, ${at.toISOString()}`, from, `way: ${figures.way ?? 'unknown'}`, `round trip: ${value(figures.delay, 'ms')}`, `jitter: ${value(figures.jitter, 'ms')}`, `loss up: ${part(figures.lossUp)}`, `loss down: ${part(figures.lossDown)}`,
    `up: ${value(figures.up, 'kbit/s', 1000)}`, `down: ${value(figures.down, 'kbit/s', 1000)}`, `picture sent: ${seen(figures.sent)}`, `picture received: ${seen(figures.received)}`,
  ].join('\n')
}
