import { useId, type TextareaHTMLAttributes } from 'react'
import { Below, described, type Common } from './Field'

interface Props extends Common, TextareaHTMLAttributes<HTMLTextAreaElement> {}

/** As Field, for what does not fit on one line. */
export function AreaField({ label, hint, error, id, ...area }: Props) {
  const made = useId()
  const own = id ?? made
  return (
    <div className="field">
      <label htmlFor={own}>{label}</label>
      <textarea {...area} id={own} aria-invalid={error ? true : undefined} aria-describedby={described(own, hint, error)} />
      <Below id={own} hint={hint} error={error} />
    </div>
  )
}
