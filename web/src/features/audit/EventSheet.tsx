// One event: what it says in words and as it is, and what else is like it.
import type { AuditEvent } from '@/api'
import { useLang, useT } from '@/i18n'
import { exactMoment } from '@/i18n/stamps'
import { Button } from '@/ui'
import type { Filters } from './filters'
import { inWords, whoOf, type Names } from './sentence'

interface Props {
  event: AuditEvent
  names: Names
  /** Shows only what has something in common with it. */
  onOnly: (part: Partial<Filters>) => void
}

export function EventSheet({ event, names, onOnly }: Props) {
  const t = useT()
  const lang = useLang()
  const typed = Object.entries(event.texts ?? {})
  const guest = event.subjects?.['knock'] ?? event.subjects?.['participant'] ?? event.subjects?.['lobby_session'] ?? (event.actor.kind === 'guest' ? event.actor.id : undefined)
  const link = event.subjects?.['link']
  const only: [string, Partial<Filters>][] = [
    ['audit.same.act', { acts: [event.act] }],
    ['audit.same.actor', { actor: event.actor.id ?? event.actor.kind }],
    ...(event.meeting ? [['audit.same.meeting', { meeting: event.meeting }] satisfies [string, Partial<Filters>]] : []),
    ...(link ? [['audit.same.link', { link }] satisfies [string, Partial<Filters>]] : []),
    ...(guest ? [['audit.same.guest', { guest }] satisfies [string, Partial<Filters>]] : []),
  ]
  return (
    <div className="stack">
      <p>{inWords(event, names, t)}</p>
      <dl className="pairs">
        <div><dt>{t('audit.event.when')}</dt><dd>{exactMoment(new Date(event.time), lang)}</dd></div>
        <div><dt>{t('audit.event.by')}</dt><dd><bdi>{whoOf(event, names, t)}</bdi></dd></div>
        {event.meeting ? <div><dt>{t('audit.event.meeting')}</dt><dd><bdi>{names[event.meeting] ?? event.meeting}</bdi></dd></div> : null}
        {typed.map(([field, text]) => <div key={field}><dt>{t('audit.event.said')} (<bdi>{field}</bdi>)</dt><dd><bdi>{text}</bdi></dd></div>)}
      </dl>
      <section aria-labelledby="audit-same" className="stack-s">
        <h3 id="audit-same">{t('audit.same')}</h3>
        <div className="row">{only.map(([id, part]) => <Button key={id} onClick={() => onOnly(part)}>{t(id)}</Button>)}</div>
      </section>
      <details>
        <summary>{t('audit.event.raw')}</summary>
        {/* Scrolls by keyboard, too. */}
        {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
        <pre className="raw" dir="ltr" tabIndex={0}>{JSON.stringify(event, null, 2)}</pre>
      </details>
      <p className="sm muted">{t('audit.event.purged')}</p>
    </div>
  )
}
