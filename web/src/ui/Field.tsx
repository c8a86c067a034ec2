import { ChevronDown } from 'lucide-react'
import { useId, type InputHTMLAttributes, type ReactNode, type Ref, type SelectHTMLAttributes } from 'react'

/** What stands about a field. */
export interface Common {
  label: ReactNode
  hint?: ReactNode
  error?: ReactNode
}

interface InputProps extends Common, InputHTMLAttributes<HTMLInputElement> {
  ref?: Ref<HTMLInputElement>
}

/** An input with its label, hint and error, tied together for screen readers. */
export function Field({ label, hint, error, id, className, ...input }: InputProps) {
  const made = useId()
  const own = id ?? made
  return (
    <div className={`field ${className ?? ''}`}>
      <label htmlFor={own}>{label}</label>
      <input {...input} id={own} aria-invalid={error ? true : undefined} aria-describedby={described(own, hint, error)} />
      <Below id={own} hint={hint} error={error} />
    </div>
  )
}

interface SelectProps extends Common, SelectHTMLAttributes<HTMLSelectElement> {}

export function SelectField({ label, hint, error, id, className, children, ...select }: SelectProps) {
  const made = useId()
  const own = id ?? made
  return (
    <div className={`field ${className ?? ''}`}>
      <label htmlFor={own}>{label}</label>
      <span className="select">
        <select {...select} id={own} aria-invalid={error ? true : undefined} aria-describedby={described(own, hint, error)}>
          {children}
        </select>
        <ChevronDown aria-hidden="true" />
      </span>
      <Below id={own} hint={hint} error={error} />
    </div>
  )
}

export function described(id: string, hint: ReactNode, error: ReactNode): string | undefined {
  return [error ? `${id}-error` : '', hint ? `${id}-hint` : ''].filter(Boolean).join(' ') || undefined
}

export function Below({ id, hint, error }: { id: string; hint?: ReactNode; error?: ReactNode }) {
  return (
    <>
      {error ? <p className="error" id={`${id}-error`}>{error}</p> : null}
      {hint ? <p className="hint" id={`${id}-hint`}>{hint}</p> : null}
    </>
  )
}
