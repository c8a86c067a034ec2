// What one shows and says: microphone, camera, screen, and which devices. A wish is kept while the connection is away,
// and applied when it is back.
import { ConnectionState, Track, VideoPresets } from 'livekit-client'
import type { Readable } from '@/api'
import { deadDevices } from './dead'
import { NoEffect, type Effects } from './effects/processors'
import { Worn } from './effects/worn'
import type { Intents } from './intents'
import { mediaProblem, type EffectProblem } from './media'
import type { Moderated } from './moderation'
import { nameOf, permissions, type Self } from './people'
import type { Preferences } from './preferences'
import { screenShare } from './screenshare'
import type { Shared } from './state'

export type Intended = Pick<Intents, 'mic' | 'cam' | 'micID' | 'camID' | 'speakerID'>
export type Preferred = Pick<Preferences, 'data' | 'talk' | 'blur' | 'denoise'>

/** With little data one layer of 180 lines is sent and nothing beside it. */
const small = { capture: { resolution: VideoPresets.h180.resolution }, publish: { simulcast: false, videoEncoding: VideoPresets.h180.encoding } } as const

export class Publishing {
  private wanted: { mic: boolean; cam: boolean }
  private followed: Preferred
  private readonly worn: Worn
  private following: Promise<unknown> = Promise.resolve()
  /** The path does not carry a picture: none is sent, whatever is wanted. */
  private withheld = false

  /** refresh reads the room again: at once, or after all events of this turn. */
  constructor(
    private readonly shared: Shared, private readonly intents: Intended, private readonly preferred: Readable<Preferred>,
    private readonly effects: Effects, private readonly refresh: { now: () => void; soon: () => void },
  ) {
    this.followed = preferred.get()
    this.worn = new Worn(shared.room, preferred, effects, { blur: (why) => void this.noBlur(why), denoise: () => this.self({ problem: { kind: 'mic', why: 'nostrong' } }) })
    // Where one holds to talk, nothing is heard by itself.
    this.wanted = { mic: intents.mic && this.followed.talk === 'toggle', cam: intents.cam }
  }

  async setMic(on: boolean): Promise<void> {
    this.wanted.mic = on
    await this.device('mic', on, () => this.shared.room.localParticipant.setMicrophoneEnabled(on, { noiseSuppression: this.preferred.get().denoise !== 'off' }))
    if (on) void this.worn.followMic()
    // Let go of while the microphone was still opening: what opened too late is closed.
    const local = this.shared.room.localParticipant
    if (on && !this.wanted.mic && local.isMicrophoneEnabled) await this.setMic(false)
  }

  async setCam(on: boolean): Promise<void> {
    this.wanted.cam = on
    const { data } = this.preferred.get()
    // The wish is kept for when pictures are wanted again, or pass.
    if (on && (data === 'sound' || this.withheld)) return
    const { capture, publish } = data === 'low' ? small : { capture: undefined, publish: undefined }
    const processor = on ? this.worn.forCamera() : undefined
    await this.device('cam', on, () => this.shared.room.localParticipant.setCameraEnabled(on, processor ? { ...capture, processor } : capture, publish))
    // Wished for while the camera was still opening, which closing it, or asking for less, did not reach.
    const local = this.shared.room.localParticipant
    if (!on || !local.isCameraEnabled) return
    if (!this.wanted.cam) return this.setCam(false)
    if (this.withheld) return this.withholdCam(true)
    if (this.preferred.get().data !== data) return this.publishAnew()
    if (!processor && this.preferred.get().blur !== 'off') await this.worn.followCamera()
  }

  /** Whether one wants to be seen, and may be. */
  wantsCam = (): boolean => this.wanted.cam && this.shared.state.get().self.can.camera

  /** Closes the camera though it is wanted, or opens it again if it still is. */
  withholdCam = async (away: boolean): Promise<void> => {
    this.withheld = away
    if (!away) return this.wantsCam() ? this.setCam(true) : undefined
    await this.shared.room.localParticipant.setCameraEnabled(false).catch(() => undefined)
    this.refresh.now()
  }

  async toggleShare(): Promise<void> {
    const on = !this.shared.state.get().self.sharing
    try {
      await this.shared.room.localParticipant.setScreenShareEnabled(on, screenShare(navigator.mediaDevices.getSupportedConstraints()))
    } catch (error) {
      // Closing the browser's own chooser is a choice, not a mistake.
      const why = mediaProblem(error)
      if (why !== 'refused') this.self({ problem: { kind: 'share', why } })
    }
    this.refresh.soon()
  }

  async use(kind: 'audioinput' | 'videoinput' | 'audiooutput', deviceID: string): Promise<void> {
    try {
      await this.shared.room.switchActiveDevice(kind, deviceID)
    } catch (error) {
      this.self({ problem: { kind: kind === 'videoinput' ? 'cam' : 'mic', why: mediaProblem(error) } })
    }
  }

  /** Does what a change of preferences asks for, one after the other. */
  follow(): Promise<unknown> {
    const [before, now] = [this.followed, this.preferred.get()]
    this.followed = now
    return (this.following = this.following.then(async () => {
      if (now.data !== before.data) await this.publishAnew()
      else if ((now.blur === 'off') !== (before.blur === 'off')) await this.worn.followCamera()
      if (now.talk === 'hold' && before.talk !== 'hold') await this.setMic(false)
      if ((now.denoise === 'off') !== (before.denoise === 'off')) await this.reopenMic()
      if (now.denoise !== before.denoise) await this.worn.followMic()
    }))
  }

  /** Another size cannot be given to a picture that is being sent: it is taken away and, if it is still wanted, sent anew. */
  private async publishAnew(): Promise<void> {
    const local = this.shared.room.localParticipant
    const { track } = local.getTrackPublication(Track.Source.Camera) ?? {}
    if (track) await local.unpublishTrack(track, true).catch(() => undefined)
    if (this.wanted.cam && this.shared.state.get().self.can.camera) await this.setCam(true)
    this.refresh.now()
  }

  /** Browsers change what they do to the sound only when the microphone is opened. */
  private async reopenMic(): Promise<void> {
    const { track } = this.shared.room.localParticipant.getTrackPublication(Track.Source.Microphone) ?? {}
    if (track && 'restartTrack' in track) await track.restartTrack({ deviceId: await track.getDeviceId(), noiseSuppression: this.preferred.get().denoise !== 'off' }).catch(() => undefined)
  }

  /** Without the blur the room would be seen: only the person may let it be, by opening the camera again. */
  private async noBlur(why: EffectProblem): Promise<void> {
    await this.setCam(false)
    this.effects.unblur()
    this.self({ problem: { kind: 'cam', why } })
  }

  /** Lets the browser play again, and wakes devices that an interruption has ended. */
  async resume(): Promise<void> {
    const { room } = this.shared
    await room.startAudio().catch(() => undefined)
    await room.startVideo().catch(() => undefined)
    for (const { track } of deadDevices(room)) {
      if (track && 'restartTrack' in track) await track.restartTrack().catch(() => undefined)
    }
    this.refresh.soon()
  }

  dismissProblem(): void {
    this.self({ problem: null })
  }

  /** After a join: the chosen devices, and those open that were wanted and are allowed. */
  async apply(): Promise<void> {
    const { room, state } = this.shared
    const { can } = state.get().self
    const { micID, camID, speakerID } = this.intents
    if (speakerID) await room.switchActiveDevice('audiooutput', speakerID).catch(() => undefined)
    if (micID) await room.switchActiveDevice('audioinput', micID, false).catch(() => undefined)
    if (camID) await room.switchActiveDevice('videoinput', camID, false).catch(() => undefined)
    await Promise.all([this.wanted.mic && can.speak ? this.setMic(true) : null, this.wanted.cam && can.camera ? this.setCam(true) : null])
  }

  /** The server has stopped it already; here the devices are let go of, and a return opens nothing again. */
  async obey({ what, rights }: Moderated): Promise<void> {
    const local = this.shared.room.localParticipant
    if (what === 'muted' || (what === 'forbidden' && rights.includes('speak'))) this.wanted.mic = false
    if (what === 'camera_stopped' || (what === 'forbidden' && rights.includes('camera'))) this.wanted.cam = false
    if (what === 'muted') await local.setMicrophoneEnabled(false).catch(() => undefined)
    if (what === 'camera_stopped') await local.setCameraEnabled(false).catch(() => undefined)
    if (what === 'share_stopped') await local.setScreenShareEnabled(false).catch(() => undefined)
    this.refresh.soon()
  }

  /** What the room now says of oneself. */
  read(before: Self): Self {
    const local = this.shared.room.localParticipant
    const device = (kind: 'mic' | 'cam', on: boolean) => (on ? 'on' : before[kind] === 'starting' && this.wanted[kind] && !before.problem ? 'starting' : 'off')
    return {
      ...before,
      identity: local.identity,
      name: nameOf(local),
      mic: device('mic', local.isMicrophoneEnabled),
      cam: device('cam', local.isCameraEnabled),
      sharing: local.isScreenShareEnabled,
      can: permissions(local),
    }
  }

  private async device(kind: 'mic' | 'cam', on: boolean, act: () => Promise<unknown>): Promise<void> {
    // The server cannot be told now; the wish is kept and applied when we are back.
    if (this.shared.room.state === ConnectionState.Disconnected) return this.self({ [kind]: 'off' })
    if (on) this.self({ [kind]: 'starting', problem: null })
    try {
      await act()
    } catch (error) {
      if (error instanceof NoEffect) return this.noBlur(error.why)
      this.wanted[kind] = false
      this.self({ problem: { kind, why: mediaProblem(error) } })
    }
    this.refresh.now()
  }

  private self(part: Partial<Self>): void {
    this.shared.state.update((state) => ({ ...state, self: { ...state.self, ...part } }))
  }
}
