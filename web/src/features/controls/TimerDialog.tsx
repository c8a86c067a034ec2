import { Timer as TimerIcon, TimerOff } from 'lucide-react'
import { useState, type SubmitEvent } from 'react'
import { ErrorNote } from '@/features/frame'
import { useT } from '@/i18n'
import { Button, Field } from '@/ui'
import { Dialog } from '@/ui/overlays'

interface Props {
  running: boolean
  /** Starts for so many seconds, or stops. */
  set: (seconds: number | null) => Promise<void>
  onClose: () => void
}

const longest = 24 * 60

/** A host starts or stops the timer that everybody sees. */
export function TimerDialog({ running, set, onClose }: Props) {
  const t = useT()
  const [minutes, setMinutes] = useState('5')
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const n = Number(minutes.replace(',', '.'))
  const valid = n >= 0.1 && n <= longest
  const go = async (seconds: number | null) => {
    setBusy(true)
    setError(null)
    try {
      await set(seconds)
      onClose()
    } catch (problem) {
      setError(problem)
    } finally {
      setBusy(false)
    }
  }
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    if (valid && !busy) void go(Math.round(n * 60))
  }
  return (
    <Dialog open onClose={onClose} closeLabel={t('common.close')} title={t('timer.title')}>
      <form className="stack-s" onSubmit={submit}>
        <Field label={t('timer.minutes')} hint={t('timer.all')} error={valid ? undefined : t('timer.bounds')} inputMode="decimal" autoComplete="off" value={minutes} onChange={(event) => setMinutes(event.target.value)} />
        {error ? <ErrorNote error={error} /> : null}
        <div className="acts">
          {running ? <Button icon={<TimerOff aria-hidden="true" />} busy={busy} onClick={() => void go(null)}>{t('timer.stop')}</Button> : null}
          <Button kind="primary" type="submit" busy={busy} icon={<TimerIcon aria-hidden="true" />}>{t(running ? 'timer.restart' : 'timer.start')}</Button>
        </div>
      </form>
    </Dialog>
  )
}
