// Away from the meeting, told by how long: a word, then a banner with the countdown, after a minute a page with advice.
import { WifiOff } from 'lucide-react'
import { useEffect } from 'react'
import type { Phase } from '@/call/live'
import { useT } from '@/i18n'
import { announce, Button, useNow } from '@/ui'

const bannerAfter = 2_000
const pageAfter = 60_000

type Away = Extract<Phase, { is: 'reconnecting' }>

export function Reconnecting({ phase, retry, leave }: { phase: Away; retry: () => void; leave: () => void }) {
  const t = useT()
  const now = useNow(500)
  const away = now - phase.since
  const shown = away >= bannerAfter
  useEffect(() => {
    if (shown) announce(t('recon.title'), 'assertive')
  }, [shown, t])
  if (!shown) return null
  const long = away >= pageAfter
  const seconds = phase.retryAt === null ? 0 : Math.max(0, Math.ceil((phase.retryAt - now) / 1000))
  return (
    <div className={long ? 'away-page' : 'away-banner'} role="group" aria-label={t('recon.title')}>
      <WifiOff aria-hidden="true" />
      <div className="stack-s">
        <p><b>{t('recon.title')}</b></p>
        <p>{t(long ? 'recon.long' : 'recon.body')}</p>
        <p className="num">{seconds > 0 ? t('recon.next', { n: seconds }) : t('recon.trying')}</p>
      </div>
      <div className="row">
        {phase.tries >= 1 || long ? <Button kind="primary" onClick={retry}>{t('recon.now')}</Button> : null}
        {long ? <Button onClick={leave}>{t('ctl.leave')}</Button> : null}
      </div>
    </div>
  )
}
