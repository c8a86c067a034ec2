// Which knocks elsewhere are new, and which page of this browser rings for them.
import type { Notice } from '@/api'

/** Follows the lists of notices; gives those that hold a knock nobody has been told of. */
export class NewKnocks {
  private told: Map<string, number> | null = null

  /** What was there when the page opened is shown and does not ring. */
  see(notices: readonly Notice[]): Notice[] {
    const before = this.told
    this.told ??= new Map()
    const fresh: Notice[] = []
    for (const notice of notices) {
      const { meeting, newest } = notice
      const at = newest ? Date.parse(newest) : 0
      if ((this.told.get(meeting) ?? 0) >= at) continue
      this.told.set(meeting, at)
      if (before) fresh.push(notice)
    }
    return fresh
  }
}

const leader = 'aparte.notices'
/** Held by a page that rings for its own meeting. */
export const attended = (meetingID: string) => `aparte.host.${meetingID}`

/** Of several pages of one browser one rings: whoever holds the lock. Where there are no locks every page does. */
export function holdLock(name: string, shared: boolean, held: () => void): () => void {
  if (!('locks' in navigator)) {
    held()
    return () => undefined
  }
  const over = new AbortController()
  let release: () => void = () => undefined
  const kept = new Promise<void>((resolve) => (release = resolve))
  navigator.locks
    .request(name, { mode: shared ? 'shared' : 'exclusive', signal: over.signal }, () => {
      held()
      return kept
    })
    .catch(() => undefined)
  return () => {
    over.abort()
    release()
  }
}

export const becomeLeader = (held: () => void) => holdLock(leader, false, held)

/** Leaves out the meetings that have a page of their own in this browser, which rings for them. */
export async function unattended(notices: readonly Notice[]): Promise<Notice[]> {
  if (!('locks' in navigator)) return [...notices]
  const { held = [] } = await navigator.locks.query().catch(() => ({ held: [] }))
  const names = new Set(held.map((lock) => lock.name))
  return notices.filter(({ meeting }) => !names.has(attended(meeting)))
}
