import { useEffect, useEffectEvent, useState } from 'react'
import type { MediaGrant } from '@/api'
import { callAsAgent, callAsGuest } from '@/api/call'
import { intents } from '@/call'
import { newCall, type Call, type Over } from '@/call/live'

/** Who comes into the call and acts in it: a guest by the session, an agent by the meeting's id. */
export type Caller = { grant: () => Promise<MediaGrant> } & ({ session: string | null } | { meeting: string })

/** A call for as long as the component is on the screen; the caller is that of the first render. */
export function useCall(caller: Caller, onOver: (why: Over) => void): Call {
  const [call] = useState(() => newCall(caller.grant, 'meeting' in caller ? callAsAgent(caller.meeting) : callAsGuest(caller.session ?? ''), intents.get()))
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
