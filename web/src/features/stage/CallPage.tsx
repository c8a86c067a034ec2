// A call for as long as the page is open. What is on the screen is in Stage.tsx.
import { useEffect } from 'react'
import type { Role } from '@/call'
import type { Call, Over } from '@/call/live'
import { useStore } from '@/ui'
import type { HostSide } from './hostSide'
import { Stage } from './Stage'
import { useCall, type Caller } from './useCall'

interface Props {
  title: string
  caller: Caller
  onOver: (why: Over) => void
  host?: HostSide
  /** Told what one is in the meeting, and when that changes. */
  onRole?: (role: Role) => void
}

export function CallPage({ caller, onOver, onRole, ...rest }: Props) {
  const call = useCall(caller, onOver)
  useOwnRole(call, onRole)
  return <Stage call={call} {...rest} />
}

function useOwnRole(call: Call, onRole: Props['onRole']): void {
  const { people, phase } = useStore(call.state)
  const role = phase.is === 'live' ? people.find((person) => person.self)?.role : undefined
  useEffect(() => {
    if (role) onRole?.(role)
  }, [role, onRole])
}
