import { useEffectEvent, useLayoutEffect, useRef, type RefObject } from 'react'

/** The heading of the panel beside the tiles, while one is open. */
export function panelHeading(): HTMLElement | null {
  return document.querySelector<HTMLElement>('[data-region="panel"] h2')
}

const toPanel = () => panelHeading()?.focus()

/** When an element goes away with the focus inside, the focus is taken elsewhere, instead of nowhere: to the panel's heading, or where it is wanted. */
export function useFocusKept(element: RefObject<HTMLElement | null>, take: (own: HTMLElement) => void = toPanel): void {
  const wanted = useEffectEvent(take)
  useLayoutEffect(() => {
    const own = element.current
    return () => {
      if (own?.contains(document.activeElement)) wanted(own)
    }
  }, [element])
}

const toHeading = () => panelHeading() ?? document.querySelector<HTMLElement>('h1')
/** How long a dialog that closes is waited for, in looks. */
const looks = 50

/** After a dialog has closed and given the focus back to something that is gone by now: to the panel's heading or the page's, or where it is wanted. */
export function recoverFocus(to: () => HTMLElement | null | undefined = toHeading, left = looks): void {
  setTimeout(() => {
    const at = document.activeElement
    if (at === document.body) to()?.focus()
    // On a slow machine it is not gone yet, and takes the focus with it when it is.
    else if (left > 0 && at?.closest('[role="dialog"], [role="alertdialog"]')) recoverFocus(to, left - 1)
  }, 100)
}

/** When a step of a page takes the place of another and what had the focus went with it, the new step's heading takes it. The first step takes it from nobody. */
export function useStepFocus(step: string, heading: () => HTMLElement | null | undefined): void {
  const before = useRef(step)
  const wanted = useEffectEvent(heading)
  useLayoutEffect(() => {
    if (before.current === step) return
    before.current = step
    if (document.activeElement === document.body) wanted()?.focus()
  }, [step])
}
