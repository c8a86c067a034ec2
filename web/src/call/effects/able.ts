// What this browser can do to picture and sound on the person's own device. Light: it is asked before anything is loaded.

// A module with one function that returns a vector of 128 bits (WebAssembly 2.0, section 5.4.8): who refuses it has no SIMD.
const simd = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 22, 1, 20, 0, 253, 12, ...Array<number>(16).fill(0), 11]

/** Frame by frame and also while nobody looks at the page: Chromium alone, outside of workers. */
export function hasFrameStreams(): boolean {
  return 'MediaStreamTrackProcessor' in globalThis && 'MediaStreamTrackGenerator' in globalThis
}

export function canBlur(): boolean {
  return hasSIMD() && (hasFrameStreams() || (typeof HTMLCanvasElement !== 'undefined' && 'captureStream' in HTMLCanvasElement.prototype))
}

export function canDenoise(): boolean {
  return hasSIMD() && 'AudioWorkletNode' in globalThis
}

function hasSIMD(): boolean {
  return typeof WebAssembly !== 'undefined' && WebAssembly.validate(new Uint8Array(simd))
}
