// How what one sends gets through, out of the statistics of the browser (webrtc-stats): of one's own camera and microphone.

export interface Uplink {
  /** What the encoder itself says it is held back by. */
  limited: 'none' | 'bandwidth' | 'cpu'
  /** The share of packets lost, 0 to 1; null: too few to say. */
  loss: number | null
  /** Round trip in ms; null: not known. */
  delay: number | null
  /** Frames a second of the largest picture that is sent; null: none is. */
  fps: number | null
}

/** Counters as of one moment, by stream. */
export type Sent = ReadonlyMap<string, { packets: number; lost: number }>

type Stat = Record<string, unknown>
const number = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)

/** Of fewer packets the share that is lost says nothing. */
const few = 20

/** What the reports of the senders say, compared with the counters before. */
export function readUplink(reports: readonly (readonly Stat[])[], before: Sent): { uplink: Uplink; sent: Sent } {
  const uplink: Uplink = { limited: 'none', loss: null, delay: null, fps: null }
  const sent = new Map<string, { packets: number; lost: number }>()
  let widest = 0
  for (const report of reports) {
    const byID = new Map(report.map((stat) => [stat['id'], stat]))
    for (const stat of report) {
      if (stat['type'] === 'remote-inbound-rtp') {
        const packets = number(byID.get(stat['localId'])?.['packetsSent'])
        if (packets !== null) sent.set(String(stat['localId']), { packets, lost: number(stat['packetsLost']) ?? 0 })
        const delay = number(stat['roundTripTime'])
        if (delay !== null) uplink.delay = Math.max(uplink.delay ?? 0, delay * 1000)
      }
      if (stat['type'] !== 'outbound-rtp' || stat['kind'] !== 'video' || stat['active'] === false) continue
      const why = stat['qualityLimitationReason']
      if (why === 'cpu' || (why === 'bandwidth' && uplink.limited === 'none')) uplink.limited = why
      const width = number(stat['frameWidth']) ?? 0
      if (width < widest) continue
      widest = width
      uplink.fps = number(stat['framesPerSecond']) ?? 0
    }
  }
  let [packets, lost] = [0, 0]
  for (const [stream, now] of sent) {
    const was = before.get(stream)
    // A stream that is new, or begins to count anew, says something the next time.
    if (!was || now.packets < was.packets) continue
    packets += now.packets - was.packets
    lost += Math.max(0, now.lost - was.lost)
  }
  if (packets >= few) uplink.loss = Math.min(1, lost / packets)
  return { uplink, sent }
}
