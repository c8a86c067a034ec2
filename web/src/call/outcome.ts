// Why a connection ended, and what that means for the person: over for good, or worth coming back.
import { DisconnectReason } from 'livekit-client'
import { isProblem } from '@/api'

/** The ways a call is over. */
export type Over = 'left' | 'removed' | 'ended' | 'elsewhere' | 'refused' | 'unauthenticated'

/**
 * What a disconnect means; null: not wanted by anyone, come back. CLIENT_INITIATED is among the latter: our own leaving is over
 * before it disconnects, so that what is left is livekit-client letting go when the page is hidden or reloaded.
 */
export function overBy(reason: DisconnectReason | undefined): Over | null {
  switch (reason) {
    case DisconnectReason.PARTICIPANT_REMOVED:
      return 'removed'
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.ROOM_CLOSED:
      return 'ended'
    case DisconnectReason.DUPLICATE_IDENTITY:
      return 'elsewhere'
    default:
      return null
  }
}

/** What a refused token means; null: the network or the server is at fault, try again. */
export function overByProblem(error: unknown): Over | null {
  if (isProblem(error, 'meeting-ended')) return 'ended'
  if (isProblem(error, 'denied', 'banned')) return 'removed'
  if (isProblem(error, 'unauthenticated')) return 'unauthenticated'
  if (isProblem(error, 'forbidden', 'not-found', 'conflict', 'no-host', 'must-knock', 'meeting-not-open', 'link-revoked', 'link-expired')) return 'refused'
  return null
}
