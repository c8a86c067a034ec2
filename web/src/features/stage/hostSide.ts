import type { ReactNode } from 'react'
import type { Moderating, OnAll } from '@/features/people'

/** What a host has besides. */
export interface HostSide {
  waiting: number
  /** First of those who wait, for the notice. */
  firstWaiting: string
  lobby: ReactNode
  /** Acts on one person, and on everybody. */
  onOne: Moderating
  onAll: OnAll
  /** Those who wait in other meetings. */
  elsewhere: ReactNode
  /** Opens the dialog that makes a guest link. */
  invite: () => void
  endForAll: () => Promise<void>
}
