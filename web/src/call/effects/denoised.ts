// A microphone's sound with the noise taken out by RNNoise, in an audio worklet from our own origin. Where that fails the
// sound goes on as it came.
import { RnnoiseWorkletNode } from '@sapphi-red/web-noise-suppressor'
import wasmURL from '@sapphi-red/web-noise-suppressor/rnnoise_simd.wasm?url'
import workletURL from '@sapphi-red/web-noise-suppressor/rnnoiseWorklet.js?url'
import type { Worked } from './frames'
import { SoundWatch } from './watch'

// What RNNoise was taught with.
const sampleRate = 48_000
// A page that nobody has touched may not be given a running context.
const startLimit = 2_000
const lookEvery = 500

/** Rejects when it does not start; gaveUp is told when it fails later, and the sound then goes on without it. */
export async function denoised(source: MediaStreamTrack, gaveUp: () => void): Promise<Worked> {
  const context = new AudioContext({ sampleRate })
  try {
    return await connect(context, source, gaveUp)
  } catch (error) {
    void context.close()
    throw error
  }
}

async function connect(context: AudioContext, track: MediaStreamTrack, gaveUp: () => void): Promise<Worked> {
  const [wasmBinary] = await Promise.all([fetchCode(), context.audioWorklet.addModule(workletURL), running(context)])
  const source = context.createMediaStreamSource(new MediaStream([track]))
  const [before, after] = [context.createAnalyser(), context.createAnalyser()]
  const noise = new RnnoiseWorkletNode(context, { maxChannels: 1, wasmBinary })
  noise.channelCount = 1
  noise.channelCountMode = 'explicit'
  const out = context.createMediaStreamDestination()
  source.connect(before)
  source.connect(noise).connect(after).connect(out)
  const watch = new SoundWatch()
  const timer = setInterval(() => {
    if (watch.sees(loudest(before), loudest(after), performance.now())) bypass()
  }, lookEvery)
  const bypass = () => {
    clearInterval(timer)
    noise.onprocessorerror = null
    source.disconnect()
    source.connect(out)
    gaveUp()
  }
  noise.onprocessorerror = bypass
  // A phone call takes the sound away and does not give it back.
  context.onstatechange = () => void (context.state === 'running' || context.state === 'closed' || context.resume().catch(() => undefined))
  const [worked] = out.stream.getAudioTracks()
  if (!worked) throw new Error('the audio graph has no track')
  return {
    track: worked,
    stop: () => {
      clearInterval(timer)
      context.onstatechange = null
      noise.destroy()
      worked.stop()
      void context.close()
    },
  }
}

async function fetchCode(): Promise<ArrayBuffer> {
  const answer = await fetch(wasmURL)
  if (!answer.ok) throw new Error(`the noise reduction: HTTP ${answer.status}`)
  const code = await answer.arrayBuffer()
  // The worklet would keep to itself that it cannot be compiled.
  await WebAssembly.compile(code)
  return code
}

async function running(context: AudioContext): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  await Promise.race([context.resume(), new Promise((_, reject) => (timer = setTimeout(() => reject(new Error('the sound may not start by itself')), startLimit)))])
  clearTimeout(timer)
}

function loudest(analyser: AnalyserNode): number {
  const samples = new Float32Array(analyser.fftSize)
  analyser.getFloatTimeDomainData(samples)
  return samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
}
