// The device check: own picture, microphone level with a verdict, choices. Devices open by a press, never by themselves.
import { Store, type Readable } from '@/api'
import { mediaProblem, type MediaProblem } from './media'

export type Kind = 'mic' | 'cam'
export type Opened =
  | { is: 'off' }
  | { is: 'asking' }
  /** instead: of the one that was chosen, which is not here. */
  | { is: 'on'; stream: MediaStream; deviceID: string; instead: boolean }
  | { is: 'failed'; why: MediaProblem }

/** What the meter has understood: nothing yet, heard, or nothing for five seconds. */
export type Verdict = 'listening' | 'heard' | 'silent'

export interface CheckState {
  mic: Opened
  cam: Opened
  /** 0 to 1, already smoothed. */
  level: number
  verdict: Verdict
  mics: readonly Device[]
  cams: readonly Device[]
  speakers: readonly Device[]
}
export interface Device { id: string; label: string }

/** Gives the level of a stream, 0 to 1, many times a second until stopped. */
export type Listen = (stream: MediaStream, onLevel: (level: number) => void) => () => void

/** The part of navigator.mediaDevices in use. */
export interface MediaSource {
  getUserMedia(constraints: MediaStreamConstraints): Promise<MediaStream>
  enumerateDevices(): Promise<Pick<MediaDeviceInfo, 'deviceId' | 'kind' | 'label'>[]>
  addEventListener?(type: 'devicechange', listener: () => void): void
  removeEventListener?(type: 'devicechange', listener: () => void): void
}

const silentAfter = 5_000
// Room noise of a laptop stays below; a voice at arm's length is well above.
const heardAbove = 0.08

export class DeviceCheck {
  private readonly current = new Store<CheckState>({ mic: { is: 'off' }, cam: { is: 'off' }, level: 0, verdict: 'listening', mics: [], cams: [], speakers: [] })
  readonly state: Readable<CheckState> = this.current
  private stopListening: (() => void) | null = null
  private silence: ReturnType<typeof setTimeout> | undefined
  private generation = { mic: 0, cam: 0 }
  private readonly refresh = () => void this.list()

  constructor(private readonly source: MediaSource, private readonly listen: Listen) {
    source.addEventListener?.('devicechange', this.refresh)
  }

  /** Opens a device; the last press wins when several are under way. */
  open(kind: Kind, deviceID?: string): Promise<void> {
    return this.get(kind, deviceID, false)
  }

  private async get(kind: Kind, deviceID: string | undefined, instead: boolean): Promise<void> {
    this.release(kind)
    const turn = ++this.generation[kind]
    this.put(kind, { is: 'asking' })
    const wanted = deviceID ? { deviceId: { exact: deviceID } } : {}
    try {
      const stream = await this.source.getUserMedia(kind === 'mic' ? { audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...wanted } } : { video: { width: { ideal: 1280 }, height: { ideal: 720 }, ...wanted } })
      if (turn !== this.generation[kind]) return stop(stream)
      const track = stream.getTracks()[0]
      // Pulled out: any other will do, and is named as such.
      if (track) track.onended = () => void (turn === this.generation[kind] && this.get(kind, undefined, true))
      this.put(kind, { is: 'on', stream, deviceID: track?.getSettings().deviceId ?? '', instead })
      if (kind === 'mic') this.hear(stream)
      await this.list()
    } catch (error) {
      if (turn !== this.generation[kind]) return
      // The kept device is not here today: any other will do.
      if (deviceID && mediaProblem(error) === 'none') return this.get(kind, undefined, true)
      this.fail(kind, mediaProblem(error))
    }
  }

  close(kind: Kind): void {
    this.generation[kind]++
    this.release(kind)
    this.put(kind, { is: 'off' })
  }

  /** Lets go of everything; the check cannot be used again. */
  dispose(): void {
    this.close('mic')
    this.close('cam')
    this.source.removeEventListener?.('devicechange', this.refresh)
  }

  private hear(stream: MediaStream): void {
    this.current.update((state) => ({ ...state, verdict: 'listening', level: 0 }))
    this.awaitSilence()
    this.stopListening = this.listen(stream, (level) => {
      if (level > heardAbove) this.awaitSilence()
      this.current.update((state) => ({ ...state, level, verdict: level > heardAbove ? 'heard' : state.verdict }))
    })
  }

  private awaitSilence(): void {
    clearTimeout(this.silence)
    this.silence = setTimeout(() => this.current.update((state) => ({ ...state, verdict: 'silent' })), silentAfter)
  }

  private fail(kind: Kind, why: MediaProblem): void {
    this.release(kind)
    this.put(kind, { is: 'failed', why })
  }

  private release(kind: Kind): void {
    const opened = this.current.get()[kind]
    if (opened.is === 'on') stop(opened.stream)
    if (kind !== 'mic') return
    this.stopListening?.()
    this.stopListening = null
    clearTimeout(this.silence)
  }

  private put(kind: Kind, opened: Opened): void {
    this.current.update((state) => ({ ...state, [kind]: opened, ...(kind === 'mic' && opened.is !== 'on' ? { level: 0, verdict: 'listening' as const } : {}) }))
  }

  private async list(): Promise<void> {
    const found = await this.source.enumerateDevices().catch(() => [])
    const of = (kind: MediaDeviceKind): Device[] => found.filter((device) => device.kind === kind && device.deviceId !== '').map((device) => ({ id: device.deviceId, label: device.label }))
    this.current.update((state) => ({ ...state, mics: of('audioinput'), cams: of('videoinput'), speakers: of('audiooutput') }))
  }
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) {
    track.onended = null
    track.stop()
  }
}

/** Measures with WebAudio. Decibels are mapped so that quiet speech already moves the meter. */
export const listenWithWebAudio: Listen = (stream, onLevel) => {
  const context = new AudioContext()
  void context.resume()
  const analyser = context.createAnalyser()
  analyser.fftSize = 1024
  context.createMediaStreamSource(stream).connect(analyser)
  const samples = new Float32Array(analyser.fftSize)
  let smooth = 0
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples)
    let sum = 0
    for (const sample of samples) sum += sample * sample
    const decibels = 10 * Math.log10(sum / samples.length + 1e-9)
    const level = Math.min(1, Math.max(0, (decibels + 60) / 50))
    smooth = Math.max(level, smooth * 0.85)
    onLevel(Math.round(smooth * 50) / 50)
  }, 60)
  return () => {
    clearInterval(timer)
    void context.close()
  }
}
