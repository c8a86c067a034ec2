// What was typed and not sent, kept in the tab so that a reload loses none of it. Gone with the tab.
export interface Unsent {
  text: string
  to: string
  toName: string
  /** The last message of the server that was known when it was written: what is stored of it came later. */
  after: number
}

export interface Drafted {
  draft: string
  to: { id: string; name: string }
  unsent: readonly Unsent[]
}

export interface Drafts {
  read(): Drafted | null
  write(drafted: Drafted | null): void
}

/** Where nothing is kept. */
export const forgetful: Drafts = { read: () => null, write: () => undefined }

const isText = (value: unknown): value is string => typeof value === 'string'
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

function isUnsent(value: unknown): value is Unsent {
  return isRecord(value) && [value['text'], value['to'], value['toName']].every(isText) && typeof value['after'] === 'number'
}

function isDrafted(value: unknown): value is Drafted {
  if (!isRecord(value) || !isText(value['draft']) || !isRecord(value['to']) || !Array.isArray(value['unsent'])) return false
  return isText(value['to']['id']) && isText(value['to']['name']) && value['unsent'].every(isUnsent)
}

/** Drafts under a key of the tab's storage; a browser that keeps nothing loses them with a reload, and nothing else. */
export function draftsIn(storage: () => Storage, key: string): Drafts {
  return {
    read() {
      try {
        const found: unknown = JSON.parse(storage().getItem(key) ?? 'null')
        return isDrafted(found) ? found : null
      } catch {
        return null
      }
    },
    write(drafted) {
      try {
        if (drafted === null) storage().removeItem(key)
        else storage().setItem(key, JSON.stringify(drafted))
      } catch {
        // Blocked or full: what is on the screen stays there.
      }
    },
  }
}
