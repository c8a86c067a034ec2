// A moment by the clocks of the meeting's post, where they show another hour than the reader's.
import { useQuery } from '@tanstack/react-query'
import { agent } from '@/api'
import { useLang, useT } from '@/i18n'
import { momentThere } from '@/i18n/dates'
import type { Place } from './keptFile'

/** The post's name and zone, once they are known. */
export function usePlace(post: string): Place | undefined {
  const found = useQuery({ queryKey: ['posts'], queryFn: agent.posts }).data?.find(({ id }) => id === post)
  return found ? { name: found.name, zone: found.time_zone } : undefined
}

export function There({ at, post }: { at: string; post: string }) {
  const t = useT()
  const lang = useLang()
  const place = usePlace(post)
  const there = place ? momentThere(new Date(at), place.zone, lang) : null
  return there ? <span className="sm muted num">{t('entry.there', { date: there })}</span> : null
}
