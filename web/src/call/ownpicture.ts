// One's own picture on a path that does not carry it: looks at what gets through, and sends as much as stepping.ts says.
// The layers of the picture that are above the step are not sent; which of the others are is the server's wish, as ever (dynacast).
import { Track, VideoQuality, type LocalVideoTrack, type Room } from 'livekit-client'
import type { Readable } from '@/api'
import { quality } from './people'
import type { Preferences } from './preferences'
import type { Shared } from './state'
import { follow, keep, start, type Step, type Stepping } from './stepping'
import { readUplink, type Sent } from './uplink'

/** Smaller than the person wants it, or away: why, and whether the person wants it kept. */
export interface SteppedDown { step: Exclude<Step, 'full'>; why: 'path' | 'device'; kept: boolean }

/** What is done for it where the camera is opened and closed. */
export interface Camera {
  /** Whether the person wants to be seen, and may be. */
  wanted: () => boolean
  /** Closes the camera though it is wanted, or opens it again if it still is. */
  withhold: (away: boolean) => Promise<void>
}

const every = 2_000

export class OwnPicture {
  private stepping: Stepping | null = null
  private ceiling: Step = 'full'
  private sent: Sent = new Map()
  private timer: ReturnType<typeof setTimeout> | undefined
  /** Layers left out so far, of this track. */
  private capped: { track: LocalVideoTrack; layers: number } | null = null

  constructor(private readonly shared: Shared, private readonly preferred: Readable<Pick<Preferences, 'data'>>, private readonly camera: Camera, private readonly changed: () => void) {}

  /** From the first join until close. */
  start(): void {
    this.timer ??= setTimeout(() => void this.look(), every)
  }

  close(): void {
    clearTimeout(this.timer)
  }

  /** The person wants to be seen, however small. */
  async keep(): Promise<void> {
    if (this.stepping) await this.step(keep(this.stepping, this.ceiling, Date.now()))
  }

  private async look(): Promise<void> {
    // A look that fails has seen nothing.
    await this.sample().catch(() => undefined)
    this.timer = this.shared.state.get().phase.is === 'over' ? undefined : setTimeout(() => void this.look(), every)
  }

  private async sample(): Promise<void> {
    const { data } = this.preferred.get()
    if (this.shared.state.get().phase.is !== 'live') return
    if (!this.camera.wanted() || data === 'sound') return this.forget()
    const ceiling = data === 'low' ? 'small' : 'full'
    if (!this.stepping || ceiling !== this.ceiling) {
      // What is sent from now on is another picture: nothing is known of it.
      const away = this.stepping?.step === 'off'
      this.ceiling = ceiling
      this.stepping = start(ceiling, Date.now())
      if (away) await this.camera.withhold(false)
    }
    const { localParticipant: local } = this.shared.room
    const { stepping } = this
    // Of a picture that is away the last figures stand still.
    const tracks = [stepping.step === 'off' ? undefined : cameraOf(this.shared.room), local.getTrackPublication(Track.Source.Microphone)?.track]
    const reports = await Promise.all(tracks.map(async (track) => track?.getRTCStatsReport().catch(() => undefined)))
    const { uplink, sent } = readUplink(reports.map((report) => [...(report?.values() ?? [])] as Record<string, unknown>[]), this.sent)
    this.sent = sent
    // Chosen otherwise while the browser counted.
    if (this.stepping !== stepping || !this.camera.wanted()) return
    await this.step(follow(stepping, uplink, quality(this.shared.room) === 'weak', ceiling, Date.now()))
  }

  private async step(to: Stepping): Promise<void> {
    const before = this.stepping
    this.stepping = to
    this.tell()
    if (before && (before.step === 'off') !== (to.step === 'off')) await this.camera.withhold(to.step === 'off').catch(() => undefined)
    const track = cameraOf(this.shared.room)
    if (track && to.step !== 'off') await this.cap(track, to.step).catch(() => undefined)
  }

  /** The person wants no picture, or one of another sort: it begins anew with the next. */
  private forget(): void {
    if (!this.stepping) return
    if (this.stepping.step === 'off') void this.camera.withhold(false).catch(() => undefined)
    this.stepping = null
    this.capped = null
    this.tell()
  }

  private tell(): void {
    const { stepping } = this
    const now: SteppedDown | null = !stepping?.why || stepping.step === 'full' ? null : { step: stepping.step, why: stepping.why, kept: stepping.kept }
    const { steppedDown: before } = this.shared.state.get()
    if (before === now || (before && now && before.step === now.step && before.why === now.why && before.kept === now.kept)) return
    this.shared.state.update((state) => ({ ...state, steppedDown: now }))
    this.changed()
    if (stepping && !now) this.shared.tell({ is: 'picture-back' })
  }

  /** Sends no layer above the step. The server may ask for one anew at any time, so that this is looked at again with each sample. */
  private async cap(track: LocalVideoTrack, step: Exclude<Step, 'off'>): Promise<void> {
    const layers = track.sender?.getParameters().encodings.length ?? 0
    // One layer is the one of little data, and small already.
    if (layers < 2) return
    const allowed = step === 'full' ? layers : step === 'reduced' ? Math.max(1, layers - 1) : 1
    if (this.capped?.track === track && this.capped.layers < allowed && !(await track.refreshSubscribedCodecs())) track.setPublishingQuality(VideoQuality.HIGH)
    this.capped = allowed < layers ? { track, layers: allowed } : null
    const parameters = track.sender?.getParameters()
    const above = parameters?.encodings.slice(allowed).filter((encoding) => encoding.active) ?? []
    if (!parameters || above.length === 0) return
    for (const encoding of above) encoding.active = false
    await track.sender?.setParameters(parameters)
  }
}

function cameraOf(room: Room): LocalVideoTrack | undefined {
  return room.localParticipant.getTrackPublication(Track.Source.Camera)?.videoTrack
}
