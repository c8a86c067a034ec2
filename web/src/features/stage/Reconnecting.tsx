// Away from the meeting, told by how long: a word, then a banner with the countdown, after a minute a page with advice.
import { WifiOff } from 'lucide-react'
import { useEffect, useState } from 'react'
import type { Phase } from '@/call/live'
import { useT } from '@/i18n'
import { announce, Button, Heading, useNow } from '@/ui'

const bannerAfter = 2_000
const pageAfter = 60_000

type Away = Extract<Phase, { is: 'reconnecting' }>

/** True once one has been away for so long that the page with advice takes the place of the call. */
export function useLongAway(phase: Phase): boolean {
  const since = phase.is === 'reconnecting' ? phase.since : null
  const [longSince, setLongSince] = useState<number | null>(null)
  useEffect(() => {
    if (since === null) return
    const timer = setTimeout(() => setLongSince(since), Math.max(0, since + pageAfter - Date.now()))
    return () => clearTimeout(timer)
  }, [since])
  return since !== null && longSince === since
}

interface Props {
  phase: Away
  retry: () => void
}

export function AwayPage({ phase, retry, leave }: Props & { leave: () => void }) {
  const t = useT()
  return (
    <main id="main" className="away-page">
      <WifiOff aria-hidden="true" />
      <Heading>{t('recon.title')}</Heading>
      <p>{t('recon.long')}</p>
      <Countdown phase={phase} />
      <div className="row">
        <Button kind="primary" onClick={retry}>{t('recon.now')}</Button>
        <Button onClick={leave}>{t('ctl.leave')}</Button>
      </div>
    </main>
  )
}

function Countdown({ phase }: { phase: Away }) {
  const t = useT()
  const now = useNow(500)
  const seconds = phase.retryAt === null ? 0 : Math.max(0, Math.ceil((phase.retryAt - now) / 1000))
  return <p className="num">{seconds > 0 ? t('recon.next', { n: seconds }) : t('recon.trying')}</p>
}

export function Reconnecting({ phase, retry }: Props) {
  const t = useT()
  const now = useNow(500)
  const away = now - phase.since
  const shown = away >= bannerAfter
  useEffect(() => {
    if (shown) announce(t('recon.title'), 'assertive')
  }, [shown, t])
  if (!shown) return null
  return (
    <div className="away-banner" role="group" aria-label={t('recon.title')}>
      <WifiOff aria-hidden="true" />
      <div className="stack-s">
        <p><b>{t('recon.title')}</b></p>
        <p>{t('recon.body')}</p>
        <Countdown phase={phase} />
      </div>
      {phase.tries >= 1 ? <div className="row"><Button kind="primary" onClick={retry}>{t('recon.now')}</Button></div> : null}
    </div>
  )
}
