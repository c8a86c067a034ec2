// What the server tells everybody in the call, in the room's metadata. It is the server's own; whatever is not
// understood is left out, so that a newer server may say more.
import { kept, objectIn, objectOf } from './json'

/** No host is in the call: what follows, and when. */
export interface NoHost {
  then: 'wait' | 'end' | 'promote'
  /** Milliseconds; null: nothing follows. */
  at: number | null
}

/** What follows; the same object as before for the same words. Null: a host is in the call. */
export function noHost(metadata: string | undefined, before: NoHost | null = null): NoHost | null {
  const said = objectOf(objectIn(metadata)?.['no_host'])
  const then = said?.['then']
  if (then !== 'wait' && then !== 'end' && then !== 'promote') return null
  const time = typeof said?.['at'] === 'string' ? Date.parse(said['at']) : NaN
  return kept(before, { then, at: Number.isNaN(time) ? null : time })
}
