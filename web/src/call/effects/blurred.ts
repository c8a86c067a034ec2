// A camera's picture with the background blurred, made on the person's own device. As long as it lives, no frame leaves it
// that shows the room: until there is a mask, and after it was given up, all of it is blurred.
import type { EffectProblem } from '../media'
import type { Strength } from '../preferences'
import { workOn, type Worked } from './frames'
import { Pace } from './pace'
import { Painter } from './painter'
import { loadTFLite, newSegmenter, type Segmenter } from './segmenter'

/** strength is asked for each frame; gaveUp is told once at most. */
export function blurred(source: MediaStreamTrack, strength: () => Strength, gaveUp: (why: EffectProblem) => void): Worked {
  const painter = new Painter()
  const pace = new Pace()
  let segmenter: Segmenter | null = null
  let over = false
  let came = 0
  let done = 0
  const giveUp = (why: EffectProblem) => {
    if (over) return
    over = true
    segmenter = null
    gaveUp(why)
  }
  loadTFLite().then(
    (tflite) => {
      if (!over) segmenter = newSegmenter(tflite)
    },
    () => giveUp('noblur'),
  )
  const { track, stop } = workOn(source, painter.canvas, (picture, size) => {
    const { maskEvery, frameEvery } = pace.effort
    if (came++ % frameEvery !== 0) return false
    const begun = performance.now()
    try {
      if (done++ % maskEvery === 0) segmenter?.look(picture)
    } catch {
      giveUp('noblur')
    }
    painter.paint(picture, size, strength(), segmenter?.mask ?? null)
    const now = performance.now()
    if (segmenter && pace.took(now - begun, now) === 'too slow') giveUp('slow')
    return true
  }, () => giveUp('noblur'))
  return {
    track,
    stop: () => {
      over = true
      segmenter = null
      stop()
    },
  }
}
