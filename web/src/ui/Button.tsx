import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react'

export type ButtonKind = 'primary' | 'secondary' | 'soft' | 'quiet' | 'danger'

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: ButtonKind
  icon?: ReactNode
  big?: boolean
  /** Work is under way: the button stays focusable but does nothing. */
  busy?: boolean
  ref?: Ref<HTMLButtonElement>
}

export function Button({ kind = 'secondary', icon, big, busy, className, children, type = 'button', onClick, ...rest }: Props) {
  const classes = ['btn', kind, big && 'big', !children && 'only-icon', className].filter(Boolean).join(' ')
  return (
    <button {...rest} type={type} className={classes} aria-disabled={busy || undefined} onClick={busy ? (event) => event.preventDefault() : onClick}>
      {icon}
      {children}
    </button>
  )
}
