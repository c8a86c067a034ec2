import { useLang, useT } from '@/i18n'
import { momentThere } from '@/i18n/dates'
import { usePlace } from './usePlace'

/** A moment by the clocks of the meeting's post; nothing where they show what the reader's do. Small: below the reader's, in a table. */
export function There({ at, post, small }: { at: string; post: string; small?: boolean }) {
  const t = useT()
  const lang = useLang()
  const place = usePlace(post)
  const there = place ? momentThere(new Date(at), place.zone, lang) : null
  if (!place || !there) return null
  if (small) return <small className="num"><bdi className="vh">{place.name} </bdi>{there}</small>
  return <span className="sm muted num">{t('entry.there', { date: there })}</span>
}
