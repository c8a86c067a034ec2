import { useEffect, useRef, type ReactNode } from 'react'

/** The screen's h1. A new screen takes the focus there, so that a screen reader says where one is. */
export function Heading({ children, focus = true, ...rest }: { children: ReactNode; focus?: boolean; id?: string; className?: string }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    if (focus) heading.current?.focus({ preventScroll: true })
  }, [focus])
  return (
    <h1 {...rest} ref={heading} tabIndex={-1}>
      {children}
    </h1>
  )
}
