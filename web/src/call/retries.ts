// When LiveKit tries to resume by itself, told to whoever shows it. A resume keeps everything that was published and is
// tried first; after about 25 seconds LiveKit gives up, and connection.ts joins anew with a fresh token.
import type { ReconnectContext, ReconnectPolicy } from 'livekit-client'
import { backOff } from '@/api/socket'

const resumeTries = 7
// A server that restarts is not met by everybody at once.
const firstSpread = 500

export class Retries implements ReconnectPolicy {
  /** A try begins after so many milliseconds; so many of this absence have failed before. */
  onPlan: (tries: number, delay: number) => void = () => undefined

  constructor(private readonly random: () => number) {}

  nextRetryDelayInMs({ retryCount }: ReconnectContext): number | null {
    if (retryCount >= resumeTries) return null
    const delay = retryCount === 0 ? Math.round(firstSpread * this.random()) : backOff(retryCount - 1, this.random)
    this.onPlan(retryCount, delay)
    return delay
  }
}
