// The device check: own picture, microphone level with a verdict, choices. Devices open by a press, never by themselves.
import { Store, type Readable } from '@/api'
import type { Listen } from './listening'
import { mediaProblem, type EffectProblem, type MediaProblem } from './media'

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
  /** Why the background is not blurred although it was wished. */
  noBlur: EffectProblem | null
}
export interface Device { id: string; label: string }

/** The part of navigator.mediaDevices in use. */
export interface MediaSource {
  getUserMedia(constraints: MediaStreamConstraints): Promise<MediaStream>
  enumerateDevices(): Promise<Pick<MediaDeviceInfo, 'deviceId' | 'kind' | 'label'>[]>
  addEventListener?(type: 'devicechange', listener: () => void): void
  removeEventListener?(type: 'devicechange', listener: () => void): void
}

/** Blurs the background of the camera's picture, where that is wished. */
export interface CheckBlur {
  wished: () => boolean
  subscribe: Readable<unknown>['subscribe']
  /** Rejects where it does not start; gaveUp is told when it cannot go on. */
  put: (camera: MediaStream, gaveUp: (why: EffectProblem) => void) => Promise<Dressed>
  /** Takes back the wish. */
  unwish: () => void
}
interface Dressed { stream: MediaStream; stop: () => void }

const silentAfter = 5_000
// Room noise of a laptop stays below; a voice at arm's length is well above.
const heardAbove = 0.08

export class DeviceCheck {
  private readonly current = new Store<CheckState>({ mic: { is: 'off' }, cam: { is: 'off' }, level: 0, verdict: 'listening', mics: [], cams: [], speakers: [], noBlur: null })
  readonly state: Readable<CheckState> = this.current
  private stopListening: (() => void) | null = null
  private silence: ReturnType<typeof setTimeout> | undefined
  private generation = { mic: 0, cam: 0 }
  private readonly refresh = () => void this.list()
  /** The camera as it is; the state has its picture as others would see it. */
  private camera: { stream: MediaStream; deviceID: string; instead: boolean } | null = null
  private dressed: Dressed | null = null
  private dressing = 0
  private wished = false
  private readonly unfollow: (() => void) | undefined

  constructor(private readonly source: MediaSource, private readonly listen: Listen, private readonly blur?: CheckBlur) {
    source.addEventListener?.('devicechange', this.refresh)
    this.unfollow = blur?.subscribe(() => void (blur.wished() === this.wished || this.dress()))
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
      const opened = { stream, deviceID: track?.getSettings().deviceId ?? '', instead }
      if (kind === 'mic') {
        this.put(kind, { is: 'on', ...opened })
        this.hear(stream)
      } else {
        this.camera = opened
        await this.dress()
      }
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
    this.unfollow?.()
    this.source.removeEventListener?.('devicechange', this.refresh)
  }

  /** Shows the camera's picture, blurred if that is wished now; the last wish wins. */
  private async dress(): Promise<void> {
    const { camera, blur } = this
    this.undress()
    this.wished = blur?.wished() ?? false
    if (!camera) return
    const turn = this.dressing
    const dressed = await (this.wished ? blur?.put(camera.stream, (why) => this.blurGone(why)) : undefined)?.catch(() => this.blurGone('noblur'))
    if (turn !== this.dressing) return dressed?.stop()
    this.dressed = dressed ?? null
    if (dressed) this.say(null)
    this.put('cam', { is: 'on', ...camera, stream: dressed?.stream ?? camera.stream })
  }

  private blurGone(why: EffectProblem): void {
    this.say(why)
    this.blur?.unwish()
  }

  private undress(): void {
    this.dressing++
    this.dressed?.stop()
    this.dressed = null
  }

  private say(noBlur: EffectProblem | null): void {
    this.current.update((state) => ({ ...state, noBlur }))
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
    if (kind === 'cam') {
      this.undress()
      if (this.camera) stop(this.camera.stream)
      this.camera = null
      return
    }
    const { mic } = this.current.get()
    if (mic.is === 'on') stop(mic.stream)
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
