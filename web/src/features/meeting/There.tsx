import { useLang } from '@/i18n'
import { momentThere } from '@/i18n/dates'
import { usePlace } from './usePlace'

/** What the post's clocks show then; nothing where it is what the reader's do. Small: below the reader's, without the post's name on screen. */
export function There({ at, post, small }: { at: string; post: string; small?: boolean }) {
  const lang = useLang()
  const place = usePlace(post)
  const there = place ? momentThere(new Date(at), place.zone, lang) : null
  if (!place || !there) return null
  if (small) return <small className="num"><span className="vh">{place.name} : </span>{there}</small>
  return <span className="sm muted"><bdi>{place.name}</bdi> : <span className="num">{there}</span></span>
}
