// Media for the network check, with livekit-client: a picture and a sound that nobody has to see or hear, sent to oneself.
import { LocalAudioTrack, LocalVideoTrack, Room, RoomEvent, Track, type RemoteTrack, type RemoteTrackPublication } from 'livekit-client'
import type { Lab, Received, Receiving, Sending, Sent, Way } from './network'

const patience = 8_000
const settings = { adaptiveStream: false, dynacast: false, stopLocalTrackOnUnpublish: true, disconnectOnPageLeave: true } as const
const connecting = { maxRetries: 0, peerConnectionTimeout: patience, websocketTimeout: patience } as const

export const lab: Lab = {
  async send(url, token): Promise<Sending> {
    const room = new Room(settings)
    const picture = noise()
    const sound = hum()
    const close = async () => {
      picture.stop()
      sound.stop()
      await room.disconnect()
    }
    try {
      await room.connect(url, token, { ...connecting, autoSubscribe: false })
      const video = new LocalVideoTrack(picture.track, undefined, true)
      const audio = new LocalAudioTrack(sound.track, undefined, true)
      await room.localParticipant.publishTrack(video, { source: Track.Source.Camera, simulcast: false, videoCodec: 'vp8', videoEncoding: { maxBitrate: 2_000_000, maxFramerate: 20 } })
      await room.localParticipant.publishTrack(audio, { source: Track.Source.Microphone, dtx: false, red: false })
      return { stats: async () => sent(await video.getRTCStatsReport()), close }
    } catch (error) {
      await close()
      throw error
    }
  },

  async receive(url, token, what): Promise<Receiving> {
    const room = new Room(settings)
    const tracks = new Set<RemoteTrack>()
    const want = (publication: RemoteTrackPublication) => {
      if (what === 'all' || publication.kind === Track.Kind.Audio) publication.setSubscribed(true)
    }
    room.on(RoomEvent.TrackPublished, want)
    room.on(RoomEvent.TrackSubscribed, (track) => tracks.add(track))
    try {
      await room.connect(url, token, { ...connecting, autoSubscribe: false })
      for (const participant of room.remoteParticipants.values()) for (const publication of participant.trackPublications.values()) want(publication)
    } catch (error) {
      await room.disconnect()
      throw error
    }
    return {
      stats: async () => received(await Promise.all([...tracks].map((track) => track.getRTCStatsReport()))),
      close: () => room.disconnect(),
    }
  },
}

/** A picture that no codec can make small: what is measured is the network. */
function noise(): { track: MediaStreamTrack; stop: () => void } {
  const canvas = document.createElement('canvas')
  ;[canvas.width, canvas.height] = [640, 360]
  const grain = document.createElement('canvas')
  ;[grain.width, grain.height] = [160, 90]
  const [paper, dust] = [canvas.getContext('2d'), grain.getContext('2d')]
  const pixels = dust?.createImageData(grain.width, grain.height)
  const draw = () => {
    if (!paper || !dust || !pixels) return
    for (let i = 0; i < pixels.data.length; i++) pixels.data[i] = i % 4 === 3 ? 255 : Math.random() * 256
    dust.putImageData(pixels, 0, 0)
    paper.drawImage(grain, 0, 0, canvas.width, canvas.height)
  }
  draw()
  const timer = setInterval(draw, 50)
  const track = canvas.captureStream(20).getVideoTracks()[0]
  if (!track) throw new Error('no picture from a canvas')
  return { track, stop: () => (clearInterval(timer), track.stop()) }
}

function hum(): { track: MediaStreamTrack; stop: () => void } {
  const context = new AudioContext()
  const [tone, quiet, out] = [context.createOscillator(), context.createGain(), context.createMediaStreamDestination()]
  quiet.gain.value = 0.05
  tone.connect(quiet).connect(out)
  tone.start()
  const track = out.stream.getAudioTracks()[0]
  if (!track) throw new Error('no sound from an oscillator')
  return { track, stop: () => (track.stop(), void context.close()) }
}

type Report = RTCStatsReport | undefined
const all = (report: Report): Record<string, unknown>[] => [...(report?.values() ?? [])] as Record<string, unknown>[]
const number = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)

function sent(report: Report): Sent {
  const found: Sent = { at: performance.now(), bytes: 0, available: null, loss: null, delay: null, way: null }
  for (const one of all(report)) {
    if (one['type'] === 'outbound-rtp') found.bytes += (number(one['bytesSent']) ?? 0) + (number(one['headerBytesSent']) ?? 0)
    if (one['type'] === 'remote-inbound-rtp') {
      found.loss = number(one['fractionLost'])
      found.delay ??= inMs(one['roundTripTime'])
    }
    if (one['type'] === 'candidate-pair' && one['nominated'] === true && one['state'] === 'succeeded') {
      found.available = number(one['availableOutgoingBitrate'])
      found.delay = inMs(one['currentRoundTripTime']) ?? found.delay
      found.way = wayOf(report?.get(String(one['localCandidateId'])), report?.get(String(one['remoteCandidateId'])))
    }
  }
  return found
}

function received(reports: Report[]): Received {
  const found: Received = { at: performance.now(), bytes: 0, packets: 0, lost: 0, jitter: 0 }
  for (const one of reports.flatMap(all)) {
    if (one['type'] !== 'inbound-rtp') continue
    found.bytes += (number(one['bytesReceived']) ?? 0) + (number(one['headerBytesReceived']) ?? 0)
    found.packets += number(one['packetsReceived']) ?? 0
    found.lost += number(one['packetsLost']) ?? 0
    found.jitter = Math.max(found.jitter, inMs(one['jitter']) ?? 0)
  }
  return found
}

const inMs = (seconds: unknown): number | null => {
  const value = number(seconds)
  return value === null ? null : value * 1000
}

function wayOf(local: unknown, remote: unknown): Way | null {
  const of = (candidate: unknown, key: string) => (typeof candidate === 'object' && candidate !== null ? (candidate as Record<string, unknown>)[key] : undefined)
  // The relay shows an address of its own, so that our side of it may count as peer reflexive.
  if (of(local, 'candidateType') === 'relay' || typeof of(local, 'relayProtocol') === 'string') return 'relay'
  const protocol = of(remote, 'protocol')
  return protocol === 'udp' || protocol === 'tcp' ? protocol : null
}
