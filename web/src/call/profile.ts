// The security profile in force, as the server tells it in the metadata of the room, which it alone writes. Read
// strictly: what does not have the form it should have is as if it were not there.
import { kept, objectIn, objectOf } from './json'

export interface ProfileInForce {
  id: string
  /** By language (BCP 47). */
  name: Readonly<Record<string, string>>
  /** One plain sentence by language. */
  sentence: Readonly<Record<string, string>>
  /** Whoever looks sees their own name over every picture. */
  watermark: boolean
  /** Who may write to one person: everybody, only hosts and to hosts, nobody. */
  privately: 'all' | 'hosts' | 'off'
  /** For how many days what is written to everybody is stored; 0: it is not. */
  keepChatDays: number
}

/** The profile of a room's metadata; the one before, if it says the same. */
export function profileInForce(metadata: string | undefined, before: ProfileInForce | null): ProfileInForce | null {
  const read = objectOf(objectIn(metadata)?.['profile'])
  if (typeof read?.['id'] !== 'string') return null
  const now = { id: read['id'], name: byLanguage(read['name']), sentence: byLanguage(read['sentence']), watermark: read['watermark'] === true, privately: writing(read['private_messages']), keepChatDays: days(read['keep_chat_days']) }
  return kept(before, now)
}

function writing(value: unknown): ProfileInForce['privately'] {
  return value === 'all' || value === 'hosts' ? value : 'off'
}

function days(value: unknown): number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : 0
}

function byLanguage(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(objectOf(value) ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}
