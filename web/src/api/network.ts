// A look at the way to the server: a room in which a client meets itself. Loaded when somebody asks for it.
import { request } from './http'
import type { NetworkCheck } from './types'

export interface NetworkCalls {
  begin: () => Promise<NetworkCheck>
  end: () => Promise<unknown>
}

function calls(path: string, bearer?: string): NetworkCalls {
  const who = bearer === undefined ? {} : { bearer }
  return {
    begin: () => request('POST', path, who),
    end: () => request('DELETE', path, { ...who, keepalive: true }),
  }
}

export const networkAsAgent: NetworkCalls = calls('/network-check')
export const networkAsGuest = (bearer: string): NetworkCalls => calls('/guest/network-check', bearer)
