// A recording of the call, as the server tells it in the room's metadata: asked for, or under way. Who is in it is an
// attribute of each person (people.ts); what one has answered oneself is in consent.ts, loaded once there is something to answer.
import { kept, objectIn, objectOf } from './json'

const states = ['asking', 'running', 'paused', 'interrupted'] as const

export interface RecordingTold {
  id: string
  state: (typeof states)[number]
  /** Name of the host who asked. */
  by: string
  /** What for, in the host's words. */
  purpose: string
  /** Hosts can watch it on the server, which holds a key to it; else the post's archive alone can open it. */
  watchable: boolean
  keepDays: number
  /** Name of the post that keeps it. */
  post: string
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The recording; the one before, if it says the same. What a newer server calls a state of its own counts as running. */
export function recordingTold(metadata: string | undefined, before: RecordingTold | null): RecordingTold | null {
  const told = objectOf(objectIn(metadata)?.['recording'])
  if (!told || typeof told['id'] !== 'string') return null
  const days = told['keep_days']
  return kept(before, {
    id: told['id'], state: states.find((one) => one === told['state']) ?? 'running', by: text(told['by']), purpose: text(told['purpose']),
    watchable: told['watchable'] === true, keepDays: typeof days === 'number' ? days : 0, post: text(told['post']),
  })
}

/** Hosts may ask for one. */
export const recordable = (metadata: string | undefined): boolean => objectIn(metadata)?.['recordable'] === true

/** Tells a person's other windows that they have answered. */
export const recordingTopic = 'aparte.recording'
