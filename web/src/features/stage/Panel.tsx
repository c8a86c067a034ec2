import { X } from 'lucide-react'
import { useEffect, useId, useRef, type ReactNode } from 'react'
import { useT } from '@/i18n'
import { Button } from '@/ui'

interface Props {
  title: string
  count?: number
  onClose: () => void
  children: ReactNode
}

/** A panel pushes the tiles and never covers them. It takes the focus to its heading and gives it back. */
export function Panel({ title, count, onClose, children }: Props) {
  const t = useT()
  const id = useId()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    const before = document.activeElement
    heading.current?.focus()
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  return (
    <aside className="panel" aria-labelledby={id} data-region="panel">
      <div className="grab" aria-hidden="true" />
      <header>
        <h2 id={id} ref={heading} tabIndex={-1}>{title} {count ? <span className="muted num">{count}</span> : null}</h2>
        <Button kind="quiet" aria-label={t('stage.panel.close')} icon={<X aria-hidden="true" />} onClick={onClose} />
      </header>
      {children}
    </aside>
  )
}
