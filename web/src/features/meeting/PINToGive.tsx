import { Check, Copy } from 'lucide-react'
import { useState } from 'react'
import { shownPIN } from '@/api'
import { useT } from '@/i18n'
import { announce, Button } from '@/ui'

/** A PIN, large enough to be read aloud, with a copy of its own: it must not travel with the link. */
export function PINToGive({ pin }: { pin: string }) {
  const t = useT()
  const [copied, setCopied] = useState(false)
  const copy = () => {
    void navigator.clipboard.writeText(shownPIN(pin)).then(() => {
      setCopied(true)
      announce(t('links.pin.copied'))
    }, () => undefined)
  }
  return (
    <div className="pin-give">
      <p className="pin-digits"><span className="vh">{t('links.pin')} </span>{shownPIN(pin)}</p>
      <p className="sm">{t('links.pin.other')}</p>
      <Button icon={copied ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />} onClick={copy}>{copied ? t('links.pin.copied') : t('links.pin.copy')}</Button>
    </div>
  )
}
