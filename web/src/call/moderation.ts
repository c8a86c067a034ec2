// What hosts decide in the call, as the server tells it: the state of the call in the room's metadata, and messages of
// the server to those whom an act concerns. Nobody else can write either.
import { kept, objectIn, textsOf } from './json'

/** What the hosts may allow or forbid to all. */
export type Right = 'speak' | 'camera' | 'share' | 'chat' | 'react' | 'hand' | 'files'
const rights: readonly string[] = ['speak', 'camera', 'share', 'chat', 'react', 'hand', 'files'] satisfies Right[]

export interface Moderation {
  /** Nobody new comes in. */
  locked: boolean
  /** Identities of those in front for everybody, in order. */
  spotlight: readonly string[]
  /** What nobody may do but hosts. */
  forbidden: readonly Right[]
}

export const unmoderated: Moderation = { locked: false, spotlight: [], forbidden: [] }

export const topics = { moderated: 'aparte.moderated', ask: 'aparte.ask' } as const

const deeds = ['muted', 'camera_stopped', 'share_stopped', 'spotlit', 'forbidden', 'allowed'] as const
export type Deed = (typeof deeds)[number]

export interface Moderated {
  what: Deed
  /** Name of the host. */
  by: string
  rights: readonly Right[]
}

const isRight = (name: string): name is Right => rights.includes(name)

/** The state of the call; the one before, if it says the same. */
export function moderation(metadata: string | undefined, before: Moderation): Moderation {
  const told = objectIn(metadata) ?? {}
  const now: Moderation = { locked: told['locked'] === true, spotlight: textsOf(told['spotlight']), forbidden: textsOf(told['forbidden']).filter(isRight) }
  return kept(before, now)
}

/** A message that a host has done something to oneself; null if it is none that this client knows. */
export function moderated(payload: Uint8Array): Moderated | null {
  const told = objectIn(new TextDecoder().decode(payload)) ?? {}
  const what = deeds.find((deed) => deed === told['what'])
  return what ? { what, by: typeof told['by'] === 'string' ? told['by'] : '', rights: textsOf(told['rights']).filter(isRight) } : null
}

/** The host who asks one to open the microphone; null if something else is asked. */
export function askedToUnmute(payload: Uint8Array): string | null {
  const told = objectIn(new TextDecoder().decode(payload)) ?? {}
  return told['what'] === 'unmute' && typeof told['by'] === 'string' ? told['by'] : null
}
