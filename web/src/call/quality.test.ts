import { expect, it } from 'vitest'
import { read, sheet } from './quality'

const codec = { id: 'c', type: 'codec', mimeType: 'video/VP8' }
const sending = (bytes: number) => [
  codec,
  { id: 'o1', type: 'outbound-rtp', kind: 'video', bytesSent: bytes, headerBytesSent: 0, frameWidth: 320, frameHeight: 180, framesPerSecond: 15, codecId: 'c' },
  { id: 'o2', type: 'outbound-rtp', kind: 'video', bytesSent: 0, frameWidth: 1280, frameHeight: 720, framesPerSecond: 0, codecId: 'c' },
  { id: 'r', type: 'remote-inbound-rtp', fractionLost: 0.02 },
  { id: 'p0', type: 'candidate-pair', nominated: false, state: 'succeeded', currentRoundTripTime: 9 },
  { id: 'p', type: 'candidate-pair', nominated: true, state: 'succeeded', currentRoundTripTime: 0.05, localCandidateId: 'l', remoteCandidateId: 'm' },
  { id: 'l', type: 'local-candidate', candidateType: 'prflx' },
  { id: 'm', type: 'remote-candidate', protocol: 'tcp' },
]
const receiving = (packets: number, lost: number) => [codec, { id: 'i', type: 'inbound-rtp', kind: 'video', bytesReceived: packets * 1000, packetsReceived: packets, packetsLost: lost, jitter: 0.012, frameWidth: 640, frameHeight: 360, framesPerSecond: 15, codecId: 'c' }]

it('tells rates and losses from what has grown, and the rest as it is', () => {
  const first = read([sending(10_000), receiving(100, 5)], 1_000, null)
  expect(first.figures).toMatchObject({ up: null, down: null, lossDown: null, delay: 50, jitter: 12, way: 'tcp' })
  const { figures } = read([sending(35_000), receiving(190, 15)], 3_000, first.counted)
  expect(figures).toEqual({ up: 100_000, down: 360_000, lossUp: 0.02, lossDown: 0.1, delay: 50, jitter: 12, way: 'tcp', sent: { width: 320, height: 180, codec: 'VP8' }, received: { width: 640, height: 360, codec: 'VP8' } })
  expect(sheet(figures, new Date(0), 'Firefox')).toBe('Aparté connection, 1970-01-01T00:00:00.000Z\nFirefox\nway: tcp\nround trip: 50 ms\njitter: 12 ms\nloss up: 2.0 %\nloss down: 10.0 %\nup: 100 kbit/s\ndown: 360 kbit/s\npicture sent: 320x180 VP8\npicture received: 640x360 VP8')
})

it('compares nothing after a track has ended, and knows nothing of nothing', () => {
  const { counted } = read([sending(10_000)], 1_000, null)
  expect(read([sending(10)], 2_000, counted).figures.up).toBeNull()
  expect(Object.values(read([], 1_000, null).figures).every((value) => value === null)).toBe(true)
})
