import { CirclePlay } from 'lucide-react'
import { useT } from '@/i18n'
import type { ActProps } from './Acts'

/** The way to the page where it is watched, or where it says until when that takes. */
export function Watch({ place, one }: ActProps) {
  const t = useT()
  return <a className="btn primary" href={`/recordings/${place.meeting}/${one.id}`}><CirclePlay aria-hidden="true" />{t('recs.watch')}</a>
}
