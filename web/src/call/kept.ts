// Settings that stay in this browser. A browser that keeps nothing has them for the visit.
import { Store } from '@/api'
import { objectIn } from './json'

/** What was kept, as an object to look into; empty where it is none. */
export const entriesOf = (kept: string | null): Record<string, unknown> => objectIn(kept ?? undefined) ?? {}

/** Kept under a key of localStorage; understand reads what is there, null for nothing. */
export class KeptStore<T extends object> extends Store<T> {
  constructor(private readonly key: string, understand: (kept: string | null) => T) {
    super(understand(found(key)))
  }

  change(part: Partial<T>): void {
    const next = { ...this.get(), ...part }
    try {
      localStorage.setItem(this.key, JSON.stringify(next))
    } catch {
      // Blocked or full.
    }
    this.set(next)
  }
}

function found(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}
