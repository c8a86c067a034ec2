// What one may do with a recording now, as the server says: an act each.
import { Download, MonitorPlay, Trash2 } from 'lucide-react'
import { useState, type MouseEvent } from 'react'
import { agent, type KeptRecording } from '@/api'
import { take } from '@/api/taking'
import { ErrorNote } from '@/features/frame'
import { useT } from '@/i18n'
import { announce, Button, recoverFocus } from '@/ui'
import { Confirm } from '@/ui/overlays'
import { Hold, Lift } from './Hold'
import { type Place, useReadAnew } from './place'
import { Share } from './Share'
import { Watch } from './Watch'

export interface ActProps { place: Place; one: KeptRecording }

export function Acts(props: ActProps) {
  const { may } = props.one
  return (
    <div className="row">
      {may.includes('watch') ? <Watch {...props} /> : null}
      {may.includes('download') ? <Downloads {...props} /> : null}
      {may.includes('download') ? <Open {...props} /> : null}
      {may.includes('share') ? <Share {...props} /> : null}
      {may.includes('hold') ? <Hold {...props} /> : null}
      {may.includes('lift') ? <Lift {...props} /> : null}
      {may.includes('delete') ? <Delete {...props} /> : null}
    </div>
  )
}

/** In this browser, by whoever has the archive's key. */
function Open({ place, one }: ActProps) {
  const t = useT()
  if (one.state !== 'stopped' || !one.parts.some((part) => part.closed)) return null
  return <a className="btn secondary" href={`/recordings/open?meeting=${place.meeting}&recording=${one.id}`}><MonitorPlay aria-hidden="true" />{t('recs.open.here')}</a>
}

export function Downloads({ place, one }: ActProps) {
  const t = useT()
  const readAnew = useReadAnew()
  const [error, setError] = useState<unknown>(null)
  const closed = one.parts.filter((part) => part.closed)
  const download = (event: MouseEvent, address: string) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return // the browser's own: to another tab, to a name
    event.preventDefault()
    setError(null)
    void take(address).catch(async (problem: unknown) => {
      setError(problem)
      await readAnew() // it may be gone
    })
  }
  return (
    <>
      {error ? <ErrorNote error={error} /> : null}
      {closed.map((part) => {
        const address = agent.recordingPart(place.meeting, one.id, part.number)
        return (
          <a key={part.number} className="btn secondary" href={address} download={part.name} onClick={(event) => download(event, address)}>
            <Download aria-hidden="true" />{closed.length > 1 ? t('recs.download.part', { n: part.number }) : t('recs.download')}
          </a>
        )
      })}
    </>
  )
}

function Delete({ place, one }: ActProps) {
  const t = useT()
  const readAnew = useReadAnew()
  const [asking, setAsking] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const remove = async () => {
    setError(null)
    try {
      const { left } = await agent.deleteRecording(place.meeting, one.id)
      announce(t(left ? 'recs.deleting' : 'recs.deleted'))
    } catch (problem) {
      setError(problem)
    }
    await readAnew()
    recoverFocus()
  }
  return (
    <>
      <Button kind="quiet" icon={<Trash2 aria-hidden="true" />} onClick={() => setAsking(true)}>{t('recs.delete')}</Button>
      {error ? <ErrorNote error={error} /> : null}
      <Confirm open={asking} onClose={() => setAsking(false)} cancel={t('common.cancel')} act={t('recs.delete')} title={t('recs.delete.ask')} onAct={remove}>
        <p>{t('recs.delete.effect')}</p>
      </Confirm>
    </>
  )
}
