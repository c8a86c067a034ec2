import { useEffect, useState } from 'react'

let pageTitle = ''
let badge = ''

function writeTitle(): void {
  document.title = `${badge}${pageTitle ? `${pageTitle} · Aparté` : 'Aparté'}`
}

/** The tab's title while the component is on the screen: the state first, then the product. */
export function useTitle(title: string): void {
  useEffect(() => {
    pageTitle = title
    writeTitle()
  }, [title])
}

/** What stands before the title of whatever page is open, '' for nothing. */
export function useTitleBadge(text: string): void {
  useEffect(() => {
    badge = text
    writeTitle()
    return () => {
      badge = ''
      writeTitle()
    }
  }, [text])
}

/** The value, but for true that turns false: that counts once it has lasted so many milliseconds. */
export function useLasting(value: boolean, milliseconds: number): boolean {
  const [lasting, setLasting] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setLasting(value), value ? 0 : milliseconds)
    return () => clearTimeout(timer)
  }, [value, milliseconds])
  return value || lasting
}

/** The time, renewed every so many milliseconds. */
export function useNow(every: number): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every)
    return () => clearInterval(timer)
  }, [every])
  return now
}

/** True once the component has been on the screen for so many milliseconds: nothing is shown for a wait that short. */
export function useAfter(milliseconds: number): boolean {
  const [passed, setPassed] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setPassed(true), milliseconds)
    return () => clearTimeout(timer)
  }, [milliseconds])
  return passed
}
