// Hear yourself: a few seconds of the microphone are recorded in memory and played back. Nothing of it leaves the page,
// and nothing is left of it afterwards.
import { Store, type Readable } from '@/api'

export type EchoState = { is: 'idle' } | { is: 'recording' } | { is: 'playing' } | { is: 'failed' }

/** What the browser gives for it. */
export interface EchoMeans {
  /** Begins to record; stop gives what was recorded, drop forgets it. */
  record: (stream: MediaStream) => { stop: () => Promise<Blob>; drop: () => void }
  /** Plays; ended comes when it is over, and fails when it cannot be played. */
  play: (sound: Blob, speakerID: string | undefined) => { ended: Promise<void>; stop: () => void }
}

/** How long is recorded, in milliseconds: a sentence. */
export const echoLength = 4_000

export class Echo {
  private readonly current = new Store<EchoState>({ is: 'idle' })
  readonly state: Readable<EchoState> = this.current
  private end: () => void = () => undefined
  private turn = 0

  constructor(private readonly means: EchoMeans) {}

  /** Records, then plays; once more while one runs begins anew. */
  async start(stream: MediaStream, speakerID?: string): Promise<void> {
    this.stop()
    const turn = this.turn
    try {
      const recording = this.means.record(stream)
      this.current.set({ is: 'recording' })
      const over = await this.last(echoLength, recording.drop)
      if (!over) return
      const sound = await recording.stop()
      if (turn !== this.turn) return
      const playing = this.means.play(sound, speakerID)
      this.end = playing.stop
      this.current.set({ is: 'playing' })
      await playing.ended
      if (turn === this.turn) this.stop()
    } catch {
      if (turn !== this.turn) return
      this.stop()
      this.current.set({ is: 'failed' })
    }
  }

  /** Ends whatever runs, at any time. */
  stop(): void {
    this.turn++
    this.end()
    this.end = () => undefined
    this.current.set({ is: 'idle' })
  }

  /** Waits, and says whether the time is over or it was stopped before. */
  private last(milliseconds: number, dropped: () => void): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(true), milliseconds)
      this.end = () => {
        clearTimeout(timer)
        dropped()
        resolve(false)
      }
    }).then((over) => {
      if (over) this.end = () => undefined
      return over === true
    })
  }
}

/** With a recorder and a player of the browser's own. */
export const echoMeans: EchoMeans = {
  record(stream) {
    const parts: Blob[] = []
    const recorder = new MediaRecorder(stream)
    recorder.ondataavailable = ({ data }) => parts.push(data)
    recorder.start()
    const stop = () =>
      new Promise<Blob>((resolve, reject) => {
        recorder.onstop = () => resolve(new Blob(parts, { type: recorder.mimeType }))
        recorder.onerror = () => reject(new Error('the recorder failed'))
        recorder.stop()
      })
    return { stop, drop: () => recorder.state !== 'inactive' && recorder.stop() }
  },
  play(sound, speakerID) {
    const address = URL.createObjectURL(sound)
    const player = new Audio()
    const forget = () => {
      player.onended = null
      player.onerror = null
      player.pause()
      player.removeAttribute('src')
      URL.revokeObjectURL(address)
    }
    const ended = new Promise<void>((resolve, reject) => {
      player.onended = () => resolve()
      player.onerror = () => reject(new Error('the recording does not play'))
      const sink = speakerID && 'setSinkId' in player ? player.setSinkId(speakerID).catch(() => undefined) : Promise.resolve()
      void sink.then(() => {
        player.src = address
        return player.play()
      }).catch(reject)
    }).finally(forget)
    return { ended, stop: forget }
  },
}
