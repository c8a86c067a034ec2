import { TriangleAlert } from 'lucide-react'
import type { Obstacle } from '@/call'
import { useT } from '@/i18n'
import { PlainPage } from './pages'

/** No call can work here: why, and the way out. */
export function Obstructed({ why }: { why: Obstacle }) {
  const t = useT()
  const secure = `https://${location.host}`
  return (
    <PlainPage subtitle={t('frame.meeting')} title={t(`obstacle.${why}.title`)} icon={<TriangleAlert />} tone="warn">
      <p>{t(`obstacle.${why}.body`)}</p>
      <ol>
        <li>{why === 'insecure' ? t('obstacle.insecure.do', { address: secure }) : t('obstacle.unsupported.do')}</li>
        <li>{t('obstacle.else')}</li>
      </ol>
    </PlainPage>
  )
}
