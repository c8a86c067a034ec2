// What the server says in a call: data packets of its own and the room's metadata. Nothing of it is believed before it has
// been looked at, and what is not understood is left alone.
import type { CallFile, CallMessage, Reaction } from '@/api'
import { objectIn, objectOf } from './json'

export const chatTopic = 'aparte.chat'
export const reactionTopic = 'aparte.reaction'

export const reactions = ['agree', 'applause', 'thanks', 'smile', 'disagree'] as const satisfies readonly Reaction[]

export interface Timer {
  /** By the server's clock, in milliseconds. */
  endsAt: number
  startedBy: string
}

export function readMessage(text: string): CallMessage | null {
  const found = objectIn(text)
  if (!found) return null
  const { seq, from, from_name, to, to_name, text: written, at, file } = found
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1) return null
  if (typeof from !== 'string' || typeof from_name !== 'string' || typeof to !== 'string' || typeof written !== 'string') return null
  if (typeof at !== 'string' || Number.isNaN(Date.parse(at)) || (to_name !== undefined && typeof to_name !== 'string')) return null
  const sent = file === undefined ? undefined : readFile(file)
  if (sent === null) return null
  return { seq, from, from_name, to, text: written, at, ...(to_name === undefined ? {} : { to_name }), ...(sent ? { file: sent } : {}) }
}

function readFile(value: unknown): CallFile | null {
  const { id, name, kind, type, size, outside, risky, suspicious, deleted } = objectOf(value) ?? {}
  if (typeof id !== 'string' || typeof name !== 'string' || typeof kind !== 'string' || typeof type !== 'string') return null
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return null
  // What is not said counts as the worse.
  return { id, name, kind, type, size, outside: outside !== false, risky: risky !== false, suspicious: suspicious !== false, deleted: deleted === true }
}

export function readReactions(text: string): { identity: string; reaction: Reaction }[] {
  const list = objectIn(text)?.['reactions']
  if (!Array.isArray(list)) return []
  return list.flatMap((entry: unknown) => {
    const { identity, reaction } = objectOf(entry) ?? {}
    const known = reactions.find((one) => one === reaction)
    return typeof identity === 'string' && known ? [{ identity, reaction: known }] : []
  })
}

/** The timer in the state of the call, or null. */
export function readTimer(metadata: string | undefined): Timer | null {
  const { ends_at, started_by } = objectOf(objectIn(metadata)?.['timer']) ?? {}
  const endsAt = typeof ends_at === 'string' ? Date.parse(ends_at) : Number.NaN
  return Number.isNaN(endsAt) ? null : { endsAt, startedBy: typeof started_by === 'string' ? started_by : '' }
}
