import { Circle, HardDrive, Pause, Square } from 'lucide-react'
import { useEffect, useState, type SubmitEvent } from 'react'
import { isProblem } from '@/api'
import type { Consent, ConsentState } from '@/call/consent'
import type { RecordingTold } from '@/call/live'
import { ErrorNote, useFaults } from '@/features/frame'
import { useLang, useT } from '@/i18n'
import { sized } from '@/i18n/sizes'
import { AreaField, Button } from '@/ui'
import { Dialog } from '@/ui/overlays'
import { Choice, Facts, saidOf } from './Prompt'

interface Props {
  /** Null: none is asked for. */
  recording: RecordingTold | null
  recordable: boolean
  consent: Consent
  own: ConsentState
  host: boolean
  /** One is somebody who is asked. */
  asked: boolean
  onClose: () => void
}

export function RecordingDialog({ recording, recordable, consent, own, host, asked, onClose }: Props) {
  const t = useT()
  const begun = recording?.state === 'running' || recording?.state === 'paused'
  const answer = asked ? <Own consent={consent} own={own} begun={begun} /> : null
  return (
    <Dialog open onClose={onClose} closeLabel={t('common.close')} title={t(recording ? `rec.state.${recording.state}` : 'rec.title')}>
      <div className="stack-s rec-dialog">
        {isProblem(own.error, 'recording-quota') ? <Room full used={Number(own.error.document['used'])} limit={Number(own.error.document['limit'])} /> : own.error ? <ErrorNote error={own.error} /> : null}
        {recording ? (
          <>
            {host && own.room ? <Room {...own.room} /> : null}
            {/* Whoever comes back to it, once it has begun, comes to take their word back: on a phone that is not below the facts. */}
            {begun ? answer : null}
            <Facts recording={recording} />
            {begun ? null : answer}
            {host ? <Hosting recording={recording} consent={consent} own={own} /> : null}
          </>
        ) : host && recordable ? <Asking consent={consent} own={own} /> : <p>{t('rec.none')}</p>}
      </div>
    </Dialog>
  )
}

/** That the recordings of the post take all they may, or nearly. */
function Room({ used, limit, full = false }: { used: number; limit: number; full?: boolean }) {
  const t = useT()
  const lang = useLang()
  return (
    <div className={full ? 'note danger' : 'note warn'} role={full ? 'alert' : undefined}>
      <HardDrive aria-hidden="true" />
      <p>{t(full ? 'rec.room.full' : 'rec.room.near', { used: sized(used, lang), limit: sized(limit, lang) })}</p>
    </div>
  )
}

/** One's own answer, which can be another at any time. */
function Own({ consent, own, begun }: { consent: Consent; own: ConsentState; begun: boolean }) {
  const t = useT()
  const said = own.answer === null || own.answer === undefined ? 'rec.unanswered' : saidOf[own.answer]
  return (
    <section className="stack-s" aria-labelledby="rec-own">
      <h3 id="rec-own">{t('rec.own')}</h3>
      <p role="status">{t(said)}</p>
      <Choice consent={consent} own={own} />
      {begun && own.answer === 'agreed' ? <p className="sm muted">{t('rec.withdraw.effect')}</p> : null}
    </section>
  )
}

/** Says what for; everybody reads it before they answer. */
function Asking({ consent, own }: { consent: Consent; own: ConsentState }) {
  const t = useT()
  const [purpose, setPurpose] = useState('')
  const faults = useFaults(own.error)
  const [missing, setMissing] = useState(false)
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    if (own.busy) return
    setMissing(purpose.trim() === '')
    if (purpose.trim() !== '') void consent.request(purpose.trim())
  }
  return (
    <form className="stack-s" onSubmit={submit} noValidate>
      <p>{t('rec.before')}</p>
      <AreaField label={t('rec.purpose.label')} hint={t('rec.purpose.hint')} maxLength={200} rows={2} required value={purpose} onChange={(event) => setPurpose(event.target.value)} error={missing ? t('rec.purpose.missing') : faults['purpose']} />
      <div className="acts"><Button kind="primary" type="submit" busy={own.busy}>{t('rec.request')}</Button></div>
    </form>
  )
}

/** How often a host's list of answers is looked at anew while it is open, in milliseconds. */
const lookEvery = 3_000

function Hosting({ recording, consent, own }: { recording: RecordingTold; consent: Consent; own: ConsentState }) {
  const t = useT()
  useEffect(() => {
    const timer = setInterval(consent.look, lookEvery)
    return () => clearInterval(timer)
  }, [consent])
  const { state } = recording
  return (
    <>
      <section className="stack-s" aria-labelledby="rec-all">
        <h3 id="rec-all">{t('rec.answers')}</h3>
        <ul className="rec-answers">
          {own.answers.map((one) => (
            <li key={`${one.name} ${one.identities.join(' ')}`}>
              <bdi>{one.name}</bdi>
              <span className="muted">{t(one.observer ? 'rec.answer.observer' : `rec.answer.${one.answer ?? 'none'}`)}{one.identities.length === 0 ? ` ${t('rec.answer.gone')}` : ''}</span>
            </li>
          ))}
        </ul>
      </section>
      {/* In view however long what is read before. */}
      <div className="row rec-acts">
        {state === 'asking' ? <Button kind="primary" busy={own.busy} icon={<Circle aria-hidden="true" />} onClick={() => void consent.start()}>{t('rec.start')}</Button> : null}
        {state === 'paused' || state === 'interrupted' ? <Button kind="primary" busy={own.busy} icon={<Circle aria-hidden="true" />} onClick={() => void consent.resume()}>{t('rec.resume')}</Button> : null}
        {state === 'running' ? <Button busy={own.busy} icon={<Pause aria-hidden="true" />} onClick={() => void consent.pause()}>{t('rec.pause')}</Button> : null}
        <Button busy={own.busy} icon={<Square aria-hidden="true" />} onClick={() => void consent.stop()}>{t(state === 'asking' ? 'rec.cancel' : 'rec.stop')}</Button>
      </div>
    </>
  )
}
