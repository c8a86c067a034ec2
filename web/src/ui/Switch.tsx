import type { ReactNode } from 'react'

interface Props {
  on: boolean
  onChange: (on: boolean) => void
  label: ReactNode
  /** What the present position means, in words. */
  says: ReactNode
  icon: ReactNode
  disabled?: boolean
}

/** An on and off choice that says in words what it means now. */
export function Switch({ on, onChange, label, says, icon, disabled = false }: Props) {
  return (
    <button type="button" role="switch" aria-checked={on} className="switch" disabled={disabled} onClick={() => onChange(!on)}>
      <b>
        {icon}
        {label}
      </b>
      <span>{says}</span>
      <i aria-hidden="true" />
    </button>
  )
}
