// Reads a LiveKit room into plain facts for the screen. Facts that did not change keep their identity,
// so that a tile renders again only when something about it did.
import { ConnectionQuality, Track, type Participant, type Room, type TrackPublication } from 'livekit-client'
import type { EffectProblem, MediaProblem } from './media'
import { roleNamed, type Role } from './role'

/** One person as shown. */
export interface Person {
  identity: string
  name: string
  organisation: string
  role: Role
  /** Came by a guest link. */
  outside: boolean
  self: boolean
  speaking: boolean
  micOn: boolean
  /** The camera's picture, when it is on and received. */
  picture: Track | null
  /** True while the server holds the picture back, because one's own path is too narrow for it. */
  held: boolean
  /** The voice to play; null for oneself. */
  voice: Track | null
  /** True while the person's own connection is lost. */
  lost: boolean
  /** Shows a screen. */
  sharing: boolean
  /** Place among the raised hands, from 1; 0: not raised. The same on every screen. */
  hand: number
  /** Is in the recording that runs or is paused; null: there is none. */
  recorded: boolean | null
}

/** A screen someone shows. */
export interface Share {
  identity: string
  name: string
  self: boolean
  /** Null until it is received. */
  picture: Track | null
  /** As of a person: held back by the server. */
  held: boolean
  sound: Track | null
}

// TrackSource of the LiveKit protocol (livekit_models.proto), which livekit-client does not export.
const source = { camera: 1, microphone: 2, screenShare: 3 } as const

export interface Permissions { speak: boolean; camera: boolean; share: boolean; chat: boolean; files: boolean }

export interface Self {
  identity: string
  name: string
  mic: 'on' | 'off' | 'starting'
  cam: 'on' | 'off' | 'starting'
  sharing: boolean
  can: Permissions
  problem: { kind: 'mic' | 'cam' | 'share'; why: MediaProblem | EffectProblem } | null
}

export type Quality = 'good' | 'fair' | 'weak' | 'lost'

/** Everyone in order of arrival, self last. Arrival is the server's, so that every screen agrees. */
export function people(room: Room): Person[] {
  const others = [...room.remoteParticipants.values()].sort(byArrival)
  const up = hands([...others, room.localParticipant])
  const as = (participant: Participant, self: boolean) => person(participant, self, up.indexOf(participant.identity) + 1)
  return [...others.map((other) => as(other, false)), as(room.localParticipant, true)]
}

/** Identities of those whose hand is up, in the server's order. */
function hands(all: readonly Participant[]): string[] {
  return all
    .map(({ identity, attributes }) => ({ identity, order: Number(attributes['aparte.hand'] ?? '') }))
    .filter(({ order }) => Number.isSafeInteger(order) && order > 0)
    .sort((a, b) => a.order - b.order)
    .map(({ identity }) => identity)
}

function byArrival(a: Participant, b: Participant): number {
  return (a.joinedAt?.getTime() ?? 0) - (b.joinedAt?.getTime() ?? 0) || (a.identity < b.identity ? -1 : 1)
}

function person(participant: Participant, self: boolean, hand: number): Person {
  const camera = participant.getTrackPublication(Track.Source.Camera)
  const role = roleNamed(participant.attributes['aparte.role'])
  return {
    identity: participant.identity,
    name: nameOf(participant),
    organisation: participant.attributes['aparte.organisation'] ?? '',
    role,
    outside: role === 'guest' || participant.attributes['aparte.outside'] === '1',
    self,
    speaking: participant.isSpeaking && participant.isMicrophoneEnabled,
    micOn: participant.isMicrophoneEnabled,
    picture: camera && !camera.isMuted ? (camera.track ?? null) : null,
    held: isHeld(camera?.track),
    voice: self ? null : (participant.getTrackPublication(Track.Source.Microphone)?.track ?? null),
    lost: participant.connectionQuality === ConnectionQuality.Lost,
    sharing: screenOf(participant) !== undefined,
    hand,
    recorded: recordedAs[participant.attributes['aparte.recorded'] ?? ''] ?? null,
  }
}

const recordedAs: Readonly<Record<string, boolean>> = { yes: true, no: false }

function holdsBack(room: Room): boolean {
  return [...room.remoteParticipants.values()].some((other) =>
    [Track.Source.Camera, Track.Source.ScreenShare].some((from) => isHeld(other.getTrackPublication(from)?.track)))
}

function isHeld(track: Track | undefined): boolean {
  return track?.streamState === Track.StreamState.Paused
}

export function nameOf(participant: Pick<Participant, 'name' | 'identity'>): string {
  return participant.name || participant.identity
}

/** A screen that is announced is shown, received or not: after a lost connection it stands where it stood. */
function screenOf(participant: Participant): TrackPublication | undefined {
  const publication = participant.getTrackPublication(Track.Source.ScreenShare)
  return publication && !publication.isMuted ? publication : undefined
}

/** The screens shown: those of before in their order, then the others. */
export function shares(room: Room, before: readonly { identity: string }[] = []): Share[] {
  const shown: Share[] = []
  for (const participant of [...room.remoteParticipants.values(), room.localParticipant]) {
    const screen = screenOf(participant)
    if (!screen) continue
    const picture = screen.track ?? null
    const self = participant === room.localParticipant
    const sound = self ? null : (participant.getTrackPublication(Track.Source.ScreenShareAudio)?.track ?? null)
    shown.push({ identity: participant.identity, name: nameOf(participant), self, picture, held: isHeld(screen.track), sound })
  }
  const place = ({ identity }: Share) => before.findIndex((one) => one.identity === identity)
  return [...shown.filter((one) => place(one) >= 0).sort((a, b) => place(a) - place(b)), ...shown.filter((one) => place(one) < 0)]
}

/** What the server allows; before it has said, everything, since it decides anyway. Writing goes through the API, so that no media permission tells of it. */
export function permissions({ permissions: given, attributes }: Pick<Participant, 'permissions' | 'attributes'>): Permissions {
  if (!given) return { speak: true, camera: true, share: true, chat: true, files: true }
  const may = (wanted: number) => given.canPublish && (given.canPublishSources.length === 0 || given.canPublishSources.some((allowed) => (allowed as number) === wanted))
  return { speak: may(source.microphone), camera: may(source.camera), share: may(source.screenShare), chat: attributes['aparte.chat'] !== 'off', files: attributes['aparte.files'] !== 'off' }
}

/** One's own connection; a picture held back tells of a narrow one before the server's next rating does. */
export function quality(room: Room): Quality {
  switch (room.localParticipant.connectionQuality) {
    case ConnectionQuality.Poor:
      return 'weak'
    case ConnectionQuality.Lost:
      return 'lost'
    default:
      return holdsBack(room) ? 'weak' : room.localParticipant.connectionQuality === ConnectionQuality.Good ? 'fair' : 'good'
  }
}

/** The new list with every entry that says the same as before replaced by the entry before; the list itself too. */
export function keepSame<T extends { identity: string }>(before: readonly T[], after: readonly T[]): readonly T[] {
  const known = new Map(before.map((entry) => [entry.identity, entry]))
  const merged = after.map((entry) => {
    const old = known.get(entry.identity)
    return old && same(old, entry) ? old : entry
  })
  return merged.length === before.length && merged.every((entry, i) => entry === before[i]) ? before : merged
}

function same<T extends object>(a: T, b: T): boolean {
  return (Object.keys(b) as (keyof T)[]).every((key) => Object.is(a[key], b[key]))
}
