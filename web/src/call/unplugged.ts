// A microphone, camera or loudspeaker that goes while it is used. livekit-client takes another by itself, if there is one; here the
// person is told which went and what is used instead, because nobody who is not heard, or hears nothing, should have to find out why.
import { RoomEvent, Track, type Room } from 'livekit-client'
import { plain } from './dead'

export interface Gone {
  kind: 'mic' | 'cam' | 'speaker'
  /** The name of what was unplugged. */
  gone: string
  /** The name of what is used instead; null: nothing is. */
  instead: string | null
}

/** A device as it was used: what the browser calls it, and shows of it. */
export interface Used { id: string; label: string }
type Listed = Pick<MediaDeviceInfo, 'kind' | 'deviceId' | 'label'>

/** Both the browser's words for whatever the system takes, whose names tell the real one. */
const roles: readonly string[] = ['', 'default', 'communications']

/** Whether a device that was used is not among those that there are. */
export function missing(used: Used, kind: MediaDeviceKind, list: readonly Listed[]): boolean {
  const others = list.filter((device) => device.kind === kind)
  // A list without names, from a browser that was not asked for them, tells too little.
  if (others.length > 0 && others.every(({ label }) => label === '')) return false
  return !others.some((device) => (roles.includes(used.id) ? used.label.endsWith(device.label) : device.deviceId === used.id))
}

/** A device's name as a person knows it: without the browser's word for its role, and its numbers on the bus. */
export function named({ id, label }: Used): string {
  const plain = roles.includes(id) && id !== '' ? label.replace(/^.*? - /, '') : label
  return plain.replace(/\s*\([0-9a-f]{4}:[0-9a-f]{4}\)$/i, '')
}

const kinds = [['mic', Track.Source.Microphone, 'audioinput'], ['cam', Track.Source.Camera, 'videoinput']] as const
/** What is heard through, until another is chosen. */
const ofSystem = 'default'

/** How long another device is waited for, in milliseconds. */
export const takesOver = 1_500

export class Unplugged {
  private readonly used = new Map<Gone['kind'], Used>()
  /** What was used before another took over, until it is known whether it went. */
  private readonly left = new Map<Gone['kind'], Used>()
  /** What is heard through. No track tells: its name is in the list while it is there. */
  private heard: Used | null = null
  private timer: ReturnType<typeof setTimeout> | undefined
  private readonly watched = new WeakSet<MediaStreamTrack>()
  private readonly over = new AbortController()

  constructor(private readonly room: Room, private readonly list: () => Promise<readonly Listed[]>, private readonly tell: (gone: readonly Gone[]) => void) {
    room.on(RoomEvent.MediaDevicesChanged, this.soon)
    room.on(RoomEvent.ActiveDeviceChanged, this.note)
    this.note()
  }

  /** Notes what is used now; after each change of the room. */
  follow(): void {
    for (const [kind, , track] of this.open()) {
      const [before, now] = [this.used.get(kind), usedBy(track)]
      this.used.set(kind, now)
      if (before && (before.id !== now.id || before.label !== now.label)) {
        if (!this.left.has(kind)) this.left.set(kind, before)
        this.soon()
      }
      if (this.watched.has(track)) continue
      this.watched.add(track)
      // A browser that was asked for a device shows the names of all.
      this.note()
      track.addEventListener('ended', this.soon, { signal: this.over.signal })
    }
  }

  close(): void {
    this.over.abort()
    clearTimeout(this.timer)
    this.room.off(RoomEvent.MediaDevicesChanged, this.soon)
    this.room.off(RoomEvent.ActiveDeviceChanged, this.note)
  }

  private soon = (): void => {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.look().catch(() => undefined), takesOver)
  }

  /** Notes what is heard through; one that is gone stays noted until the person has been told. */
  private note = (): void => {
    void this.list().then((list) => {
      if (!this.heard || !missing(this.heard, 'audiooutput', list)) this.heard = this.speaker(list) ?? this.heard
    }, () => undefined)
  }

  private async look(): Promise<void> {
    const list = await this.list()
    if (this.over.signal.aborted) return
    const now = new Map(this.open().map(([kind, , track]) => [kind, usedBy(track)]))
    const gone: Gone[] = []
    for (const [kind, , media] of kinds) {
      const before = this.left.get(kind) ?? this.used.get(kind)
      if (!before || !missing(before, media, list)) continue
      const instead = now.get(kind)
      gone.push({ kind, gone: named(before), instead: instead && !missing(instead, media, list) ? named(instead) : null })
      if (!this.left.has(kind)) this.used.delete(kind)
    }
    this.left.clear()
    const { heard } = this
    if (heard && missing(heard, 'audiooutput', list)) {
      this.heard = await this.another(list)
      gone.push({ kind: 'speaker', gone: named(heard), instead: this.heard && named(this.heard) })
    } else this.heard = this.speaker(list) ?? heard
    if (gone.length > 0) this.tell(gone)
  }

  private speaker(list: readonly Listed[]): Used | null {
    const id = this.room.getActiveDevice('audiooutput') ?? ofSystem
    const label = list.find((device) => device.kind === 'audiooutput' && device.deviceId === id)?.label
    return label ? { id, label } : null
  }

  /** What is heard through now; the system's own is taken where nothing else has been. */
  private async another(list: readonly Listed[]): Promise<Used | null> {
    const taken = this.speaker(list)
    if (taken || !list.some(({ kind }) => kind === 'audiooutput')) return taken
    await this.room.switchActiveDevice('audiooutput', ofSystem).catch(() => undefined)
    return this.speaker(list)
  }

  /** What is open and sends. */
  private open(): (readonly [Gone['kind'], Track.Source, MediaStreamTrack])[] {
    return kinds.flatMap(([kind, source]) => {
      const publication = this.room.localParticipant.getTrackPublication(source)
      // Below an effect: what it makes has a name and an id of its own, and no device.
      const track = publication?.isMuted ? undefined : plain(publication?.track)
      return track?.readyState === 'live' ? [[kind, source, track] as const] : []
    })
  }
}

function usedBy(track: MediaStreamTrack): Used {
  return { id: track.getSettings().deviceId ?? '', label: track.label }
}
