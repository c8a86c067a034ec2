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

/**
 * A panel pushes the tiles and never covers them. It takes the focus to its heading and gives it back: to where it was, or,
 * where a key opened it from nowhere, to its own control in the bar.
 */
export function Panel({ title, count, onClose, children }: Props) {
  const t = useT()
  const id = useId()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    const before = document.activeElement === document.body ? document.querySelector('[data-region="bar"] [aria-expanded="true"]') : document.activeElement
    heading.current?.focus()
    return () => {
      // Whoever has gone on meanwhile stays where they are.
      if (document.activeElement === document.body && before instanceof HTMLElement && before.isConnected) before.focus()
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
