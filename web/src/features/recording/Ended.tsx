import { CircleAlert, X } from 'lucide-react'
import { useRef } from 'react'
import type { Ended as Because } from '@/call/consent'
import { useT } from '@/i18n'
import { Button, useFocusKept } from '@/ui'
import { toCall } from './Prompt'

const words: Readonly<Record<Because, string>> = {
  quota: 'rec.ended.quota',
  'no-room': 'rec.ended.noroom',
  failed: 'rec.ended.failed',
  profile: 'rec.ended.profile',
  'nobody-recorded': 'rec.ended.nobodyrecorded',
}

/** A host who believes that it still records should not learn on the meeting's page that it does not. */
export function Ended({ because, onClose }: { because: Because; onClose: () => void }) {
  const t = useT()
  const own = useRef<HTMLDivElement>(null)
  useFocusKept(own, toCall)
  return (
    <div ref={own} className="notice" data-testid="rec-ended">
      <div className="note warn" role="alert">
        <CircleAlert aria-hidden="true" />
        <p>{t(words[because])} {t('rec.ended.kept')}</p>
      </div>
      <Button aria-label={t('common.close')} icon={<X aria-hidden="true" />} onClick={onClose} />
    </div>
  )
}
