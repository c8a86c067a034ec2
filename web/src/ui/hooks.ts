import { useEffect, useState } from 'react'

/** The tab's title while the component is on the screen: the state first, then the product. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · Aparté` : 'Aparté'
  }, [title])
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
