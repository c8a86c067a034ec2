import { Check, Copy } from 'lucide-react'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { useT } from '@/i18n'
import { announce, Button, Field } from '@/ui'

interface Props {
  url: string
  hint: string
  onDone: () => void
  /** Other ways for the address to leave. */
  children?: ReactNode
}

/** An address that leaves this page by being copied; where the clipboard is closed to us it stands there selected. */
export function LinkToCopy({ url, hint, onDone, children }: Props) {
  const t = useT()
  const field = useRef<HTMLInputElement>(null)
  const [copied, setCopied] = useState(false)
  // The form that made it is gone, and the focus with it.
  useEffect(() => field.current?.focus(), [])
  const copy = () => {
    field.current?.select()
    navigator.clipboard.writeText(url).then(
      () => {
        setCopied(true)
        announce(t('links.copied.plain'))
      },
      () => field.current?.focus(),
    )
  }
  return (
    <>
      <Field ref={field} className="code" label={t('links.address')} readOnly value={url} onFocus={(event) => event.target.select()} hint={hint} />
      <Button kind="primary" big icon={copied ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />} onClick={copy}>{copied ? t('links.copied.plain') : t('links.copy')}</Button>
      {children}
      <Button onClick={onDone}>{t('common.done')}</Button>
    </>
  )
}
