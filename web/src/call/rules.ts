// What the server says of the whole call: the metadata of its room, which it alone writes. Read strictly:
// what does not have the form it should have is as if it were not there.

export interface ProfileInForce {
  id: string
  /** One plain sentence by language (BCP 47). */
  sentence: Readonly<Record<string, string>>
  /** Whoever looks sees their own name over every picture. */
  watermark: boolean
}

export interface Rules {
  /** Nobody new comes in. */
  locked: boolean
  /** Identities in front for everybody, in order. */
  spotlight: readonly string[]
  /** What nobody may do but hosts, by the names of the rights. */
  forbidden: readonly string[]
  profile: ProfileInForce | null
}

const none: Rules = { locked: false, spotlight: [], forbidden: [], profile: null }

export function rules(metadata: string | undefined): Rules {
  const read = object(parse(metadata))
  if (!read) return none
  return { locked: read.locked === true, spotlight: texts(read.spotlight), forbidden: texts(read.forbidden), profile: profile(read.profile) }
}

/** Reads again only what differs from the last time. */
export class RulesReader {
  private text: string | undefined
  private last: Rules = none

  read(metadata: string | undefined): Rules {
    if (metadata !== this.text) {
      this.text = metadata
      this.last = rules(metadata)
    }
    return this.last
  }
}

function profile(value: unknown): ProfileInForce | null {
  const read = object(value)
  if (!read || typeof read.id !== 'string') return null
  const sentence = Object.fromEntries(Object.entries(object(read.sentence) ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
  return { id: read.id, sentence, watermark: read.watermark === true }
}

function parse(text: string | undefined): unknown {
  try {
    return text ? JSON.parse(text) as unknown : null
  } catch {
    return null
  }
}

function object(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : null
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []
}
