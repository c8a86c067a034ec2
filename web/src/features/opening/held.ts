// A media file that is made in memory: written from front to back, with a few places filled in afterwards.

const chunk = 1 << 20

/** How many bytes all files together may have. */
export class Room {
  private taken = 0
  constructor(private readonly most: number) {}

  take(bytes: number): void {
    this.taken += bytes
    if (this.taken > this.most) throw new DOMException(`more than ${this.most} bytes`, 'QuotaExceededError')
  }
}

export class Held {
  private readonly chunks: Uint8Array<ArrayBuffer>[] = []
  private size = 0
  constructor(private readonly room: Room) {}

  write(bytes: Uint8Array, at: number): void {
    const end = at + bytes.length
    if (end > this.size) {
      this.room.take(end - this.size)
      this.size = end
      while (this.chunks.length * chunk < end) this.chunks.push(new Uint8Array(chunk))
    }
    for (let done = 0; done < bytes.length;) {
      const place = at + done
      const from = place % chunk
      const piece = bytes.subarray(done, done + chunk - from)
      this.chunks[Math.floor(place / chunk)]?.set(piece, from)
      done += piece.length
    }
  }

  /** The whole, once; nothing is kept. */
  finish(type: string): Blob {
    const rest = this.size % chunk
    const all = this.chunks.map((one, i) => (rest > 0 && i === this.chunks.length - 1 ? one.subarray(0, rest) : one))
    this.chunks.length = 0
    return new Blob(all, { type })
  }
}
