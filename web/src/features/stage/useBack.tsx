// The back button of a phone, and of a browser, closes what is open before it leaves; the call it leaves only after a question.
import { useEffect, useEffectEvent, useState, type ReactNode } from 'react'
import { useT } from '@/i18n'
import { Confirm } from '@/ui/overlays'

// In front of the page's own entry of the history stands one that "back" takes away and this hook puts there again.
const guard = { call: true }
const guarded = () => (history.state as Partial<typeof guard> | null)?.call === true

/** close returns false when nothing was open. */
export function useBack(close: () => boolean, leave: () => void): ReactNode {
  const t = useT()
  const [asked, setAsked] = useState(false)
  const back = useEffectEvent(() => {
    if (guarded()) return // forwards, onto the guard
    history.pushState(guard, '')
    if (asked) setAsked(false)
    else if (!close()) setAsked(true)
  })
  useEffect(() => {
    if (!guarded()) history.pushState(guard, '')
    addEventListener('popstate', back)
    return () => {
      removeEventListener('popstate', back)
      if (guarded()) history.back()
    }
  }, [])
  return (
    <Confirm open={asked} title={t('stage.back.ask')} cancel={t('common.cancel')} act={t('ctl.leave')} onAct={leave} onClose={() => setAsked(false)}>
      <p>{t('end.left.more')}</p>
    </Confirm>
  )
}
