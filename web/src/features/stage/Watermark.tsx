import type { Call } from '@/call/live'
import { useNow, useStore } from '@/ui'

const marks = Array.from({ length: 24 }, (_, i) => i)

/** The name of whoever looks, and the time, over every picture: who photographs the screen signs it. */
export function Watermark({ call }: { call: Call }) {
  const { self, profile } = useStore(call.state)
  const now = useNow(60_000)
  if (!profile?.watermark) return null
  const at = new Date(now).toISOString().slice(0, 16).replace('T', ' ')
  return (
    <div className="watermark" aria-hidden="true">
      {/* Drawn, not written: it is on the picture, and nothing to read. */}
      {marks.map((i) => <bdi key={i} data-mark={`${self.name} · ${at} UTC`} />)}
    </div>
  )
}
