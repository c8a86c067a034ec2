import { Circle, HardDrive, Pause, Square } from 'lucide-react'
import { useEffect, useRef, useState, type SubmitEvent } from 'react'
import { isProblem } from '@/api'
import type { Consent, ConsentState } from '@/call/consent'
import type { RecordingTold } from '@/call/live'
import { ErrorNote, useFaults } from '@/features/frame'
import { useLang, useT } from '@/i18n'
import { sized } from '@/i18n/sizes'
import { AreaField, Button, useFocusKept } from '@/ui'
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
  // With keys, so that who is in their answer stays in it when it changes its place.
  const answer = asked ? <Own key="own" consent={consent} own={own} begun={begun} /> : null
  const facts = recording ? <Facts key="facts" recording={recording} /> : null
  return (
    <Dialog open onClose={onClose} closeLabel={t('common.close')} title={t(recording ? `rec.state.${recording.state}` : 'rec.title')}>
      <div className="stack-s rec-dialog">
        {isProblem(own.error, 'recording-quota') ? <Room full used={Number(own.error.document['used'])} limit={Number(own.error.document['limit'])} /> : own.error ? <ErrorNote error={own.error} /> : null}
        {recording ? (
          <>
            {host && own.room ? <Room {...own.room} /> : null}
            {/* Whoever comes back to it, once it has begun, comes to take their word back: on a phone that is not below the facts. */}
            {begun ? [answer, facts] : [facts, answer]}
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

/** The dialog itself, which says its title. */
const toDialog = (own: HTMLElement): void => own.closest<HTMLElement>('[role="dialog"]')?.focus()

/** Says what for; everybody reads it before they answer. */
function Asking({ consent, own }: { consent: Consent; own: ConsentState }) {
  const t = useT()
  const [purpose, setPurpose] = useState('')
  const faults = useFaults(own.error)
  const [missing, setMissing] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  // What comes instead is another text: it is read from its title.
  useFocusKept(form, toDialog)
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    if (own.busy) return
    setMissing(purpose.trim() === '')
    if (purpose.trim() !== '') void consent.request(purpose.trim())
  }
  return (
    <form ref={form} className="stack-s" onSubmit={submit} noValidate>
      <p>{t('rec.before')}</p>
      <AreaField label={t('rec.purpose.label')} hint={t('rec.purpose.hint')} maxLength={200} rows={2} required value={purpose} onChange={(event) => setPurpose(event.target.value)} error={missing ? t('rec.purpose.missing') : faults['purpose']} />
      <div className="acts"><Button kind="primary" type="submit" busy={own.busy}>{t('rec.request')}</Button></div>
    </form>
  )
}

/** How often a host's list of answers is looked at anew while it is open, in milliseconds. */
const lookEvery = 3_000

const circle = <Circle aria-hidden="true" />
const resume = { act: 'resume', word: 'rec.resume', kind: 'primary', icon: circle } as const
/** What a host does next, by how it stands. */
const steps = {
  asking: { act: 'start', word: 'rec.start', kind: 'primary', icon: circle },
  running: { act: 'pause', word: 'rec.pause', kind: 'secondary', icon: <Pause aria-hidden="true" /> },
  paused: resume,
  interrupted: resume,
} as const

function Hosting({ recording, consent, own }: { recording: RecordingTold; consent: Consent; own: ConsentState }) {
  const t = useT()
  useEffect(() => {
    const timer = setInterval(consent.look, lookEvery)
    return () => clearInterval(timer)
  }, [consent])
  const { state } = recording
  const next = steps[state]
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
        {/* One button, so that who has pressed it stays on it; pressed twice, or held, it does one thing. */}
        <Button
          kind={next.kind} busy={own.busy} icon={next.icon}
          onKeyDown={(event) => {
            if (event.repeat) event.preventDefault()
          }}
          onClick={({ detail }) => {
            if (detail < 2) void consent[next.act]()
          }}
        >
          {t(next.word)}
        </Button>
        <Button busy={own.busy} icon={<Square aria-hidden="true" />} onClick={() => void consent.stop()}>{t(state === 'asking' ? 'rec.cancel' : 'rec.stop')}</Button>
      </div>
    </>
  )
}
