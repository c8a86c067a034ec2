import { useEffect, useRef } from 'react'
import type { Knock } from '@/api'
import { useT } from '@/i18n'
import { announce, play } from '@/ui'

const mergeFor = 5_000

/** Sound and words for those who knock; several within five seconds are one. */
export function useKnockSign(waiting: readonly Knock[], sounds: boolean): void {
  const t = useT()
  const known = useRef(new Set<string>())
  const fresh = useRef<Knock[]>([])
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const quietUntil = useRef(0)
  useEffect(() => {
    // A second knock of the same guest is a new one: since tells them apart.
    const key = (knock: Knock) => `${knock.id} ${knock.since}`
    const arrived = waiting.filter((knock) => !known.current.has(key(knock)))
    known.current = new Set(waiting.map(key))
    if (arrived.length === 0) return
    fresh.current.push(...arrived)
    const tell = () => {
      timer.current = undefined
      quietUntil.current = Date.now() + mergeFor
      const told = fresh.current.splice(0)
      if (sounds) play('knock')
      announce(t('sr.knock', { n: told.length, name: told[0]?.name ?? '' }))
    }
    const wait = quietUntil.current - Date.now()
    if (wait <= 0) tell()
    else timer.current ??= setTimeout(tell, wait)
  }, [waiting, sounds, t])
  useEffect(() => () => clearTimeout(timer.current), [])
}
