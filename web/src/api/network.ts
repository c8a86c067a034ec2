// A look at the way to the server: a room in which a client meets itself. Loaded with the pages that offer it.
import { request } from './http'
import type { NetworkCheck } from './types'

export interface NetworkCalls {
  begin: () => Promise<NetworkCheck>
  end: () => Promise<unknown>
}

/** A guest is known by the session's token, an agent by the cookie. */
export function networkCalls(bearer?: string): NetworkCalls {
  const [path, who] = bearer === undefined ? ['/network-check', {}] : ['/guest/network-check', { bearer }]
  return {
    begin: () => request('POST', path, who),
    end: () => request('DELETE', path, { ...who, keepalive: true }),
  }
}
