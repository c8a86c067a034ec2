import { useEffect, useState } from 'react'
import type { NoHost } from '@/call/live'
import { useLang, useT } from '@/i18n'
import { hour } from '@/i18n/dates'

/** A host who reloads the page is back by then. */
const patience = 5_000

/** Says that no host is there, and what follows unless one comes back. */
export function NoHostHint({ told }: { told: NoHost }) {
  const t = useT()
  const lang = useLang()
  const [shown, setShown] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), patience)
    return () => clearTimeout(timer)
  }, [])
  const follows = told.at !== null && (told.then === 'end' || told.then === 'promote')
  return <p className="hint" role="status">{shown ? (follows ? t(`stage.nohost.${told.then}`, { hour: hour(new Date(told.at ?? 0), lang) }) : t('stage.nohost.wait')) : ''}</p>
}
