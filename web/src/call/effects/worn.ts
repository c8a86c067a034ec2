// Which effects the person's own tracks wear, as the preferences say.
import { Track, type LocalAudioTrack, type LocalVideoTrack, type Room } from 'livekit-client'
import type { Readable } from '@/api'
import type { EffectProblem } from '../media'
import type { Preferences } from '../preferences'
import { NoEffect, type Effects, type VideoEffect } from './processors'
import { strengthOf } from './strength'

type Preferred = Pick<Preferences, 'blur' | 'denoise'>

interface Failures {
  /** The background cannot be blurred, or no longer: what leaves is blurred as a whole until the camera is off. */
  blur: (why: EffectProblem) => void
  /** The noise cannot be reduced: the sound goes on as it is. */
  denoise: () => void
}

export class Worn {
  constructor(private readonly room: Room, private readonly preferred: Readable<Preferred>, private readonly effects: Effects, private readonly failed: Failures) {}

  /** What a camera that is opened now has to wear. */
  forCamera(): VideoEffect | undefined {
    return this.preferred.get().blur === 'off' ? undefined : this.effects.blur(strengthOf(this.preferred), this.failed.blur)
  }

  /** Puts the blur on the open camera or takes it off. From the wish on, no frame without it leaves. */
  async followCamera(): Promise<void> {
    const local = this.room.localParticipant
    const publication = local.getTrackPublication(Track.Source.Camera)
    const track = publication?.track as LocalVideoTrack | undefined
    if (!track) return
    // Switched off: it is opened anew, with what is wanted then.
    if (publication?.isMuted) {
      await local.unpublishTrack(track, true).catch(() => undefined)
      return
    }
    const blur = this.forCamera()
    if (!blur) return track.stopProcessor().catch(() => undefined)
    const plain = track.mediaStreamTrack
    plain.enabled = false
    try {
      await track.setProcessor(blur)
      plain.enabled = true
    } catch (error) {
      this.failed.blur(error instanceof NoEffect ? error.why : 'noblur')
    }
  }

  /** Puts the strong noise reduction on the microphone's sound or takes it off. */
  async followMic(): Promise<void> {
    const track = this.room.localParticipant.getTrackPublication(Track.Source.Microphone)?.track as LocalAudioTrack | undefined
    if (!track) return
    const [worn, wanted] = [track.getProcessor() !== undefined, this.preferred.get().denoise === 'strong']
    if (worn && !wanted) await track.stopProcessor().catch(() => undefined)
    if (!worn && wanted) await track.setProcessor(this.effects.denoise(this.failed.denoise)).catch(this.failed.denoise)
  }
}
