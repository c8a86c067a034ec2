import { useQueryClient } from '@tanstack/react-query'
import { Download, MonitorPlay, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { agent, type KeptRecording, type Meeting } from '@/api'
import { ErrorNote } from '@/features/frame'
import { useT } from '@/i18n'
import { announce, Button, recoverFocus } from '@/ui'
import { Confirm } from '@/ui/overlays'

export function Acts({ meeting, one }: { meeting: Meeting; one: KeptRecording }) {
  const t = useT()
  const queries = useQueryClient()
  const [asking, setAsking] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const queryKey = ['recordings', meeting.id]
  const closed = one.parts.filter((part) => part.closed)
  const read = () => queries.invalidateQueries({ queryKey })
  const remove = async () => {
    setError(null)
    try {
      await agent.deleteRecording(meeting.id, one.id)
      announce(t('recs.deleted'))
      await read()
    } catch (problem) {
      setError(problem)
    }
    recoverFocus()
  }
  const over = one.state === 'stopped'
  return (
    <div className="row">
      {closed.map((part) => (
        <a key={part.number} className="btn secondary" href={agent.recordingPart(meeting.id, one.id, part.number)} download={part.name}>
          <Download aria-hidden="true" />{closed.length > 1 ? t('recs.download.part', { n: part.number }) : t('recs.download')}
        </a>
      ))}
      {over && closed.length > 0 && one.sealed ? <a className="btn secondary" href={`/recordings/open?meeting=${meeting.id}&recording=${one.id}`}><MonitorPlay aria-hidden="true" />{t('recs.open.here')}</a> : null}
      {over && meeting.role === 'host' ? <Button kind="quiet" icon={<Trash2 aria-hidden="true" />} onClick={() => setAsking(true)}>{t('recs.delete')}</Button> : null}
      {error ? <ErrorNote error={error} /> : null}
      <Confirm open={asking} onClose={() => setAsking(false)} cancel={t('common.cancel')} act={t('recs.delete')} title={t('recs.delete.ask')} onAct={remove}>
        <p>{t('recs.delete.effect')}</p>
      </Confirm>
    </div>
  )
}
