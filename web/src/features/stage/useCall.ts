import { useEffect, useEffectEvent, useState } from 'react'
import type { MediaGrant } from '@/api'
import { intents } from '@/call'
import { newCall, type Call, type Over } from '@/call/live'

/** A call for as long as the component is on the screen; grant is the one of the first render. */
export function useCall(grant: () => Promise<MediaGrant>, onOver: (why: Over) => void): Call {
  const [call] = useState(() => newCall(grant, intents.get()))
  const over = useEffectEvent(onOver)
  useEffect(() => {
    const stop = call.state.subscribe(() => {
      const { phase } = call.state.get()
      if (phase.is === 'over') over(phase.why)
    })
    call.start()
    return () => {
      stop()
      call.leave()
    }
  }, [call])
  return call
}
