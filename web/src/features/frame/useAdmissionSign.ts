import { useEffect, useRef } from 'react'
import { useT } from '@/i18n'
import { announce, play } from '@/ui'

/** Says aloud, in words and by a sound, that the wait is over. */
export function useAdmissionSign(status: string): void {
  const t = useT()
  const waited = useRef(false)
  useEffect(() => {
    if (status === 'waiting') waited.current = true
    if (status !== 'admitted' || !waited.current) return
    waited.current = false
    announce(t('lobby.admitted'), 'assertive')
    play('admitted')
  }, [status, t])
}
