import type { AgentView, GuestView } from '@/api'

/** What guests and agents are told alike while they wait. */
export type LobbyView = Pick<GuestView & AgentView, 'meeting' | 'knock' | 'host_knows' | 'known_by' | 'host_present' | 'host_watching'>

/** Somebody who waits, as far as what is said goes. */
export interface Waits {
  reply: (text: string) => Promise<void>
}
