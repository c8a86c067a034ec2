import { CircleDot } from 'lucide-react'
import type { RecordingTold } from '@/call/live'
import { useT } from '@/i18n'

/** The mark of a recording where the top bar is not to be seen. */
export function RecordedMark({ told }: { told: RecordingTold }) {
  const t = useT()
  return <p className={`sc rec ${told.state}`} data-testid="recording"><CircleDot aria-hidden="true" />{t(`rec.state.${told.state}`)}</p>
}
