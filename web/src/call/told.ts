// What the server tells everybody in the call, in the room's metadata. It is the server's own; whatever is not
// understood is left out, so that a newer server may say more.

/** No host is in the call: what follows, and when. */
export interface NoHost {
  then: 'wait' | 'end' | 'promote'
  /** Milliseconds; null: nothing follows. */
  at: number | null
}

export function noHost(metadata: string | undefined): NoHost | null {
  let told: unknown
  try {
    told = JSON.parse(metadata ?? '')
  } catch {
    return null
  }
  const said = inside(told, 'no_host')
  const then = inside(said, 'then')
  if (then !== 'wait' && then !== 'end' && then !== 'promote') return null
  const at = inside(said, 'at')
  const time = typeof at === 'string' ? Date.parse(at) : NaN
  return { then, at: Number.isNaN(time) ? null : time }
}

function inside(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined
}

/** The same object for the same words. */
export function keepNoHost(before: NoHost | null, after: NoHost | null): NoHost | null {
  return before && after && before.then === after.then && before.at === after.at ? before : after
}
