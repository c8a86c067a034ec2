// What the call shows, and the events it tells of. Each field of the state has one owner, who alone changes it; the parts
// of the call know each other by this and by nothing else.
import type { Room } from 'livekit-client'
import type { Reaction, Store } from '@/api'
import { unmoderated, type Moderated, type Moderation } from './moderation'
import type { Over } from './outcome'
import type { SteppedDown } from './ownpicture'
import type { Timer } from './packets'
import type { Permissions, Person, Quality, Self, Share } from './people'
import type { ProfileInForce } from './profile'
import type { RecordingTold } from './recording'
import type { NoHost } from './told'
import type { Gone } from './unplugged'

export type Phase =
  | { is: 'joining' }
  | { is: 'live'; since: number }
  /** retryAt: when the next try of ours begins; null while LiveKit resumes or a try is under way. */
  | { is: 'reconnecting'; since: number; tries: number; retryAt: number | null }
  | { is: 'over'; why: Over }

export interface CallState {
  // Owned by Connection.
  phase: Phase

  // Owned by Publishing, but for what the room says of oneself.
  self: Self

  // Owned by Call, which reads them off the room (facts.ts).
  people: readonly Person[]
  shares: readonly Share[]
  /** The last host has left. */
  noHost: NoHost | null
  /** Of one's own connection; it does not flicker. */
  quality: Quality
  /** The browser plays nothing until the person touches the page (iOS after a phone call, autoplay rules). */
  mustTap: boolean
  /** The security profile in force; null before the server has said. */
  profile: ProfileInForce | null
  moderation: Moderation
  timer: Timer | null
  /** A recording that is asked for or under way. */
  recording: RecordingTold | null
  /** Hosts may ask for a recording. */
  recordable: boolean
  /** The person is talking while the microphone is off: true for a few seconds. */
  talksMuted: boolean

  // Owned by Inbox, but that an open microphone is an answer.
  /** The host who asks one to open the microphone, until one answers. */
  askedBy: string | null
  /** How far the server's clock is ahead, in milliseconds. */
  clock: number
  /** Shown at this moment, one for each person. */
  reactions: Readonly<Record<string, Reaction>>

  // Owned by OwnPicture.
  /** One's own picture is smaller than one wants it, or away; null: as one wants it. */
  steppedDown: SteppedDown | null

  // Owned by Call.
  /** Microphone and camera that went while they were used, until the person has read it. */
  unplugged: readonly Gone[]

  // Owned by Lowering.
  /** Hands that go down unless the host takes it back: of one, or (null) all. */
  lowering: { identity: string | null } | null
}

export type CallEvent = { is: 'joined' | 'left' | 'shares'; name: string; identity: string } | { is: 'back' | 'answered' | 'picture-back' | 'weak' } | { is: 'talks-muted' } | { is: 'message'; name: string; alone: boolean; file: boolean }
  | { is: 'reaction'; name: string; reaction: Reaction } | { is: 'hand'; name: string } | { is: 'moderated'; deed: Moderated } | { is: 'asked'; by: string } | { is: 'locked' | 'unlocked' }

/** What every part of the call has in hand. */
export interface Shared {
  room: Room
  state: Store<CallState>
  tell: (event: CallEvent) => void
}

const everything: Permissions = { speak: true, camera: true, share: true, chat: true, files: true }

/** Before anything is known. */
export const atFirst: CallState = {
  phase: { is: 'joining' }, people: [], shares: [], noHost: null, quality: 'good', mustTap: false, talksMuted: false, profile: null, moderation: unmoderated, askedBy: null,
  timer: null, recording: null, recordable: false, clock: 0, reactions: {}, steppedDown: null, unplugged: [], lowering: null,
  self: { identity: '', name: '', mic: 'off', cam: 'off', sharing: false, can: everything, problem: null },
}
