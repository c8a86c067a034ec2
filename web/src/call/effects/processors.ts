// The effects as livekit-client puts them on its tracks. What they are made of is loaded when the first one is wanted.
import type { AudioProcessorOptions, Track, TrackProcessor, VideoProcessorOptions } from 'livekit-client'
import type { EffectProblem } from '../media'
import type { Strength } from '../preferences'
import { canBlur } from './able'
import type { Worked } from './frames'

export type VideoEffect = TrackProcessor<Track.Kind.Video, VideoProcessorOptions>
export type AudioEffect = TrackProcessor<Track.Kind.Audio, AudioProcessorOptions>

/** An effect without which a track must not be sent. */
export class NoEffect extends Error {
  constructor(readonly why: EffectProblem) {
    super(`no effect: ${why}`)
  }
}

export interface Effects {
  /** Refuses to begin ([NoEffect]) rather than show the room. */
  blur: (strength: () => Strength, gaveUp: (why: EffectProblem) => void) => VideoEffect
  /** Begins in any case: sound that it cannot work on goes on as it is, and failed is called. */
  denoise: (failed: () => void) => AudioEffect
  /** Takes back the wish to blur, which cannot be met. */
  unblur: () => void
}

export const newEffects = (unblur: () => void): Effects => ({
  unblur,
  blur: (strength, gaveUp) =>
    effect('blur', async (track) => {
      try {
        if (!canBlur()) throw new Error('the browser cannot')
        const { blurred } = await import('./blurred')
        return blurred(track, strength, gaveUp)
      } catch {
        // A camera that is being opened belongs to nobody yet: livekit-client leaves its light on.
        track.stop()
        throw new NoEffect('noblur')
      }
    }),
  denoise: (failed) =>
    effect('denoise', async (track) => {
      try {
        const { denoised } = await import('./denoised')
        return await denoised(track, failed)
      } catch {
        failed()
        return null
      }
    }),
})

function effect<K extends Track.Kind>(name: string, make: (track: MediaStreamTrack) => Promise<Worked | null>): TrackProcessor<K> {
  let worked: Worked | null = null
  let turn = 0
  const destroy = () => {
    turn++
    worked?.stop()
    worked = null
    delete made.processedTrack
    return Promise.resolve()
  }
  const init = async ({ track }: { track: MediaStreamTrack }) => {
    void destroy()
    const own = turn
    const one = await make(track)
    // The track was stopped or opened anew meanwhile.
    if (own !== turn) return one?.stop()
    worked = one
    if (one) made.processedTrack = one.track
  }
  const made: TrackProcessor<K> = { name, init, restart: init, destroy }
  return made
}
