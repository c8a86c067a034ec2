import { useLang } from '@/i18n'
import { momentThere } from '@/i18n/dates'
import { usePlace } from './usePlace'

/** What the post's clocks show then; nothing where it is what the reader's do. */
export function There({ at, post, small }: { at: string; post: string; small?: boolean }) {
  const lang = useLang()
  const place = usePlace(post)
  const there = place ? momentThere(new Date(at), place.zone, lang) : null
  if (!place || !there) return null
  const text = <><bdi>{place.name}</bdi> : <span className="num">{there}</span></>
  return small ? <small>{text}</small> : <span className="sm muted">{text}</span>
}
