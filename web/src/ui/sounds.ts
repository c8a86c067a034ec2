// Short sounds made by WebAudio: no file to fetch, nothing above 600 ms. Each has a visual twin where it is used.
type Note = { hertz: number; at: number; length: number }

const scores = {
  knock: [{ hertz: 330, at: 0, length: 0.09 }, { hertz: 330, at: 0.16, length: 0.12 }],
  admitted: [{ hertz: 523, at: 0, length: 0.14 }, { hertz: 784, at: 0.15, length: 0.3 }],
  leave: [{ hertz: 523, at: 0, length: 0.12 }, { hertz: 349, at: 0.13, length: 0.22 }],
  recording: [{ hertz: 196, at: 0, length: 0.2 }, { hertz: 165, at: 0.22, length: 0.3 }],
  message: [{ hertz: 880, at: 0, length: 0.08 }],
  test: [{ hertz: 440, at: 0, length: 0.16 }, { hertz: 554, at: 0.17, length: 0.16 }, { hertz: 659, at: 0.34, length: 0.24 }],
} satisfies Record<string, Note[]>
export type Sound = keyof typeof scores

type SinkContext = AudioContext & { setSinkId?: (id: string) => Promise<void> }
let context: SinkContext | null = null

/** From a press: browsers let a page make sounds only after one. */
export function unlockSounds(): void {
  if (typeof AudioContext === 'undefined') return
  context ??= new AudioContext()
  if (context.state !== 'running') void context.resume().catch(() => undefined)
}

/** Plays a sound, on a chosen speaker where the browser can. Silence is not an error: every sound is also shown. */
export function play(sound: Sound, speakerID?: string): void {
  unlockSounds()
  if (!context) return
  const audio = context
  const start = () => {
    for (const note of scores[sound]) ring(audio, note)
  }
  if (speakerID && audio.setSinkId) void audio.setSinkId(speakerID).catch(() => undefined).then(start)
  else start()
}

function ring(audio: AudioContext, { hertz, at, length }: Note): void {
  const begin = audio.currentTime + at
  const tone = audio.createOscillator()
  const volume = audio.createGain()
  tone.type = 'sine'
  tone.frequency.value = hertz
  volume.gain.setValueAtTime(0, begin)
  volume.gain.linearRampToValueAtTime(0.2, begin + 0.012)
  volume.gain.exponentialRampToValueAtTime(0.001, begin + length)
  tone.connect(volume).connect(audio.destination)
  tone.start(begin)
  tone.stop(begin + length + 0.02)
}
