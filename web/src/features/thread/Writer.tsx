import { Send } from 'lucide-react'
import { useEffect, useRef, useState, type KeyboardEvent, type SubmitEvent } from 'react'
import { ErrorNote } from '@/features/frame'
import { useT } from '@/i18n'
import { Button } from '@/ui'
import { useDraft } from './useDraft'
import './thread.css'

/** As long as the server takes, in characters. */
const longest = 500

interface WriterProps {
  label: string
  send: (text: string) => Promise<void>
  /** Focus on appearing; not where the field is always there. */
  focused?: boolean
  onEscape?: () => void
  /** Keeps what is typed over a reload: whom and what it is for. */
  keep?: string
}

/** One line and a button; what was typed stays until it has arrived. */
export function Writer({ label, send, focused = true, onEscape, keep }: WriterProps) {
  const t = useT()
  const [text, setText] = useDraft(keep === undefined ? undefined : `aparte.typed.${keep}`)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (focused) field.current?.focus()
  }, [focused])
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    if (busy || text.trim() === '') return
    setBusy(true)
    setError(null)
    try {
      await send(text.trim())
      setText('')
    } catch (problem) {
      setError(problem)
    } finally {
      setBusy(false)
      field.current?.focus()
    }
  }
  const keys = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || !onEscape) return
    event.preventDefault()
    event.stopPropagation()
    onEscape()
  }
  return (
    <form className="line" onSubmit={(event) => void submit(event)}>
      <div className="field"><input ref={field} aria-label={label} placeholder={label} maxLength={longest} dir="auto" autoComplete="off" value={text} onChange={(event) => setText(event.target.value)} onKeyDown={keys} /></div>
      <Button type="submit" kind="soft" busy={busy} icon={<Send aria-hidden="true" className="flip" />} aria-label={t('chat.send')} />
      {error ? <ErrorNote error={error} /> : null}
    </form>
  )
}
