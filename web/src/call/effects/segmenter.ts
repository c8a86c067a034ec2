// Where the person is in a picture: MediaPipe's selfie segmentation (landscape) in TensorFlow Lite, compiled to WebAssembly
// with SIMD. Code and model come from our own origin, when the first picture is to be blurred, and are kept for ever.
//
// It runs on the page's own thread: a worker is started by an address, which Trusted Types without a policy refuse.
import modelURL from '@twilio/video-processors/dist/build/selfie_segmentation_landscape.tflite?url'
import createTFLite, { type TFLite } from '@twilio/video-processors/dist/build/tflite-simd-1-0-0.js'
import wasmURL from '@twilio/video-processors/dist/build/tflite-simd-1-0-0.wasm?url'

export interface Segmenter {
  /** Looks at a picture and makes its mask. */
  look(picture: CanvasImageSource): void
  /** Opaque where the person is, in the model's size; empty before the first look. */
  readonly mask: CanvasImageSource
}

/** Loads code and model, once for the page; a failure is tried anew by the next call. */
export function loadTFLite(): Promise<TFLite> {
  return (loading ??= load().catch((error: unknown) => {
    loading = null
    throw error
  }))
}
let loading: Promise<TFLite> | null = null

// What it says to itself is for its own makers; what goes wrong is thrown.
const silent = () => undefined

async function load(): Promise<TFLite> {
  const [tflite, model] = await Promise.all([createTFLite({ locateFile: () => wasmURL, print: silent, printErr: silent }), fetchModel()])
  tflite.HEAPU8.set(new Uint8Array(model), tflite._getModelBufferMemoryOffset())
  tflite._loadModel(model.byteLength)
  return tflite
}

async function fetchModel(): Promise<ArrayBuffer> {
  const answer = await fetch(modelURL)
  if (!answer.ok) throw new Error(`the model for blurring: HTTP ${answer.status}`)
  return answer.arrayBuffer()
}

// Below the first the model saw the room, above the second the person; between them the edge is soft. It leans to the room:
// a blurred hair shows less than a strip of what is behind it.
const [room, person] = [0.5, 0.9]
// How much of the mask before stays in the new one, against an edge that flickers.
const stays = 0.35

export function newSegmenter(tflite: TFLite): Segmenter {
  const [width, height] = [tflite._getInputWidth(), tflite._getInputHeight()]
  const seen = context(width, height)
  const drawn = context(width, height)
  const alpha = drawn.createImageData(width, height)
  const [into, out] = [tflite._getInputMemoryOffset() / 4, tflite._getOutputMemoryOffset() / 4]
  return {
    mask: drawn.canvas,
    look(picture) {
      seen.drawImage(picture, 0, 0, width, height)
      const { data } = seen.getImageData(0, 0, width, height)
      const heap = tflite.HEAPF32
      for (let i = 0, at = into; i < data.length; i += 4) {
        heap[at++] = (data[i] ?? 0) / 255
        heap[at++] = (data[i + 1] ?? 0) / 255
        heap[at++] = (data[i + 2] ?? 0) / 255
      }
      tflite._runInference()
      const scores = tflite.HEAPF32.subarray(out, out + width * height)
      for (let i = 0; i < scores.length; i++) {
        const before = alpha.data[i * 4 + 3] ?? 0
        alpha.data[i * 4 + 3] = before * stays + 255 * (1 - stays) * soft(least(scores, i, width))
      }
      drawn.putImageData(alpha, 0, 0)
    },
  }
}

/** The score of a place and of the four beside it, whichever is most of the room: what is next to the room is of it. */
function least(scores: Float32Array, i: number, width: number): number {
  const at = (place: number) => scores[place] ?? 1
  return Math.min(at(i), at(i - 1), at(i + 1), at(i - width), at(i + width))
}

/** 0 in the room, 1 on the person, and no corner between. */
function soft(score: number): number {
  const x = Math.min(1, Math.max(0, (score - room) / (person - room)))
  return x * x * (3 - 2 * x)
}

function context(width: number, height: number): CanvasRenderingContext2D {
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  const found = canvas.getContext('2d', { willReadFrequently: true })
  if (!found) throw new Error('no canvas to look at a picture with')
  return found
}
