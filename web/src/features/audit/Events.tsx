// The events of the trail, each in a sentence.
import type { AuditEvent } from '@/api'
import { useLang, useT, Words } from '@/i18n'
import { dayYear, exactHour } from '@/i18n/stamps'
import { Button } from '@/ui'
import { sentenceOf, whomOf, whoOf, type Names } from './sentence'

/** The events, newest first, under the days of the reader. */
export function Events({ events, names, onOpen }: { events: readonly AuditEvent[]; names: Names; onOpen: (event: AuditEvent) => void }) {
  const t = useT()
  const lang = useLang()
  if (events.length === 0) return <p className="card empty" tabIndex={-1}>{t('audit.empty')}</p>
  const days = new Map<string, AuditEvent[]>()
  for (const event of events) {
    const at = new Date(event.time)
    const name = dayYear(at, lang)
    days.set(name, [...(days.get(name) ?? []), event])
  }
  return (
    <>
      {[...days].map(([name, those]) => (
        <section key={name} aria-label={name}>
          <h2>{name}</h2>
          <ol className="card trail">{those.map((event) => <Row key={event.seq} event={event} names={names} onOpen={() => onOpen(event)} />)}</ol>
        </section>
      ))}
    </>
  )
}

function Row({ event, names, onOpen }: { event: AuditEvent; names: Names; onOpen: () => void }) {
  const t = useT()
  const lang = useLang()
  return (
    <li className={event.act.endsWith('.refused') ? 'refused' : ''}>
      <time dateTime={event.time}>{exactHour(new Date(event.time), lang)}</time>
      <div>
        <p><Sentence event={event} names={names} /></p>
        {event.meeting && names[event.meeting] ? <small><bdi>{names[event.meeting]}</bdi></small> : null}
      </div>
      <Button kind="quiet" aria-label={t('audit.event.details', { seq: event.seq })} onClick={onOpen}>{t('audit.details')}</Button>
    </li>
  )
}

function Sentence({ event, names }: { event: AuditEvent; names: Names }) {
  const t = useT()
  const id = sentenceOf(event.act)
  if (t(id) === id) return event.act // of a newer server
  return <Words id={id} values={{ who: <bdi>{whoOf(event, names, t)}</bdi>, whom: <bdi>{whomOf(event, names, t)}</bdi> }} />
}
