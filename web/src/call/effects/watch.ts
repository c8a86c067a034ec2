// Whether the noise reduction still gives sound. It runs in a thread of its own that says nothing when it cannot start.

// In milliseconds of sound that goes in while nothing at all comes out.
const patience = 2_000

export class SoundWatch {
  private nothingSince: number | null = null

  /** Takes the loudest sample that went in and that came out lately; true: it is dead. Quiet ones are quiet, not nothing. */
  sees(into: number, out: number, now: number): boolean {
    if (into === 0) return false
    if (out !== 0) this.nothingSince = null
    else this.nothingSince ??= now
    return this.nothingSince !== null && now - this.nothingSince >= patience
  }
}
