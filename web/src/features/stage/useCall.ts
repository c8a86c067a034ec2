import { useEffect, useState } from 'react'
import type { MediaGrant } from '@/api'
import { intents } from '@/call'
import { newCall, type Call, type Over } from '@/call/live'

/** A call for as long as the component is on the screen. */
export function useCall(grant: () => Promise<MediaGrant>, onOver: (why: Over) => void): Call | null {
  const [call, setCall] = useState<Call | null>(null)
  useEffect(() => {
    const made = newCall(grant, intents.get())
    const stop = made.state.subscribe(() => {
      const { phase } = made.state.get()
      if (phase.is === 'over') onOver(phase.why)
    })
    made.start()
    setCall(made)
    return () => {
      stop()
      made.leave()
    }
  }, [grant, onOver])
  return call
}
