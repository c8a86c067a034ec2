// Two live regions for the whole page. A text said twice is heard twice: the region is emptied in between.
import { useEffect, useState } from 'react'

export type Urgency = 'polite' | 'assertive'
type Said = { text: string; turn: number }
type Listener = (urgency: Urgency, text: string) => void

const listeners = new Set<Listener>()

/** Has screen readers say a text. */
export function announce(text: string, urgency: Urgency = 'polite'): void {
  for (const listener of [...listeners]) listener(urgency, text)
}

export function LiveRegions() {
  const [said, setSaid] = useState<Record<Urgency, Said>>({ polite: { text: '', turn: 0 }, assertive: { text: '', turn: 0 } })
  useEffect(() => {
    const listener: Listener = (urgency, text) => setSaid((before) => ({ ...before, [urgency]: { text, turn: before[urgency].turn + 1 } }))
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }, [])
  return (
    <>
      <div className="vh" aria-live="polite" data-testid="live-polite"><span key={said.polite.turn}>{said.polite.text}</span></div>
      <div className="vh" role="alert" aria-live="assertive" data-testid="live-assertive"><span key={said.assertive.turn}>{said.assertive.text}</span></div>
    </>
  )
}
