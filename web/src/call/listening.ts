// How loud a stream is: for the meter of the device check, and for whoever talks with the microphone off.

/** Gives the level of a stream, 0 to 1, many times a second until stopped. */
export type Listen = (stream: MediaStream, onLevel: (level: number) => void) => () => void

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
