import { LockKeyhole } from 'lucide-react'
import { useId } from 'react'
import { type FoundRecording, type KeptRecording } from '@/api'
import { useLang, useT, Words } from '@/i18n'
import { exactMoment, shortMoment } from '@/i18n/stamps'
import { sized } from '@/i18n/sizes'
import { Acts } from './Acts'
import { Files } from './Files'
import { Opening } from './Opening'
import type { Place } from './place'
import { because, length, taken } from './told'

interface Props {
  place: Place
  one: KeptRecording
  /** Where several meetings are listed: which one it is of. */
  of?: FoundRecording
  /** Name of the post, where the reader has several. */
  post?: string | undefined
}

export function One({ place, one, of, post }: Props) {
  const t = useT()
  const lang = useLang()
  const title = useId()
  const long = one.to ? length(new Date(one.from), new Date(one.to)) : null
  const bytes = one.parts.length > 0 ? one.parts.reduce((sum, part) => sum + part.bytes, 0) : one.bytes
  const from = <time dateTime={one.from}>{shortMoment(new Date(one.from), lang)}</time>
  return (
    <li aria-labelledby={title}>
      <div className="head">
        {of ? <h2 id={title}>{of.role ? <a href={`/meetings/${of.meeting}`}><bdi>{of.title}</bdi></a> : <bdi>{of.title}</bdi>}</h2> : <h3 id={title}>{from}</h3>}
        <div className="row">
          {one.hold ? <span className="chip warn"><LockKeyhole aria-hidden="true" />{t('recs.held')}</span> : null}
          <span className={one.state === 'stopped' && !one.deleting ? 'chip' : 'chip warn'}>{t(one.deleting ? 'recs.deleting' : `recs.state.${one.state}`)}</span>
        </div>
      </div>
      <dl className="recs-facts">
        {of ? <><dt>{t('recs.from')}</dt><dd>{from}</dd></> : null}
        {post ? <><dt>{t('posts.post')}</dt><dd><bdi>{post}</bdi></dd></> : null}
        <dt>{t('recs.purpose')}</dt>
        <dd><bdi>{one.purpose}</bdi> <span className="muted"><Words id="recs.by" values={{ name: <bdi>{one.by}</bdi> }} /></span></dd>
        {long ? <><dt>{t('recs.length')}</dt><dd>{t(long.id, long.values)}</dd></> : null}
        {one.because ? <><dt>{t(one.state === 'interrupted' ? 'recs.why.interrupted' : 'recs.why')}</dt><dd>{t(because[one.because])}</dd></> : null}
        <dt>{t('recs.people')}</dt>
        <dd>{one.people.length > 0 ? <Names all={one.people.map(({ name, withdrawn }) => ({ name, more: withdrawn ? t('recs.withdrawn') : '' }))} /> : t('recs.nobody')}</dd>
        {one.declined.length > 0 ? <><dt>{t('recs.declined')}</dt><dd><Names all={one.declined.map((name) => ({ name, more: '' }))} /></dd></> : null}
        {bytes > 0 ? <><dt>{t('recs.size')}</dt><dd>{sized(bytes, lang)}{one.parts.length > 1 ? ` ${t('recs.parts', { n: one.parts.length })}` : ''}</dd></> : null}
        {one.expires_at ? <><dt>{t('recs.kept')}</dt><dd><time dateTime={one.expires_at}>{shortMoment(new Date(one.expires_at), lang)}</time></dd></> : null}
        {one.locked_until ? <><dt>{t('recs.locked')}</dt><dd>{one.expires_at ? t('recs.locked.until', { date: shortMoment(new Date(one.locked_until), lang) }) : t('recs.locked.under')}</dd></> : null}
        {one.hold ? <><dt>{t('recs.held')}</dt><dd><Held hold={one.hold} /></dd></> : null}
        {of?.until ? <><dt>{t('recs.shared.me')}</dt><dd><time dateTime={of.until}>{shortMoment(new Date(of.until), lang)}</time></dd></> : null}
        {one.shares.length > 0 ? <><dt>{t('recs.shared')}</dt><dd><Names all={one.shares.map(({ name, until }) => ({ name, more: t('recs.share.until', { date: shortMoment(new Date(until), lang) }) }))} /></dd></> : null}
        {one.downloads.length > 0 ? <><dt>{t('recs.downloads')}</dt><dd><Downloads one={one} /></dd></> : null}
      </dl>
      {one.parts.length > 0 ? <Files one={one} /> : null}
      <Acts place={place} one={one} />
      {one.sealed && one.may.includes('download') ? <Opening one={one} /> : null}
    </li>
  )
}

/** Since when, by whom and why, as far as one may know. */
function Held({ hold: { since, by, reason } }: { hold: NonNullable<KeptRecording['hold']> }) {
  const t = useT()
  const lang = useLang()
  return (
    <>
      <p>{t('recs.held.since', { date: shortMoment(new Date(since), lang) })}</p>
      {by && reason ? <p><bdi>{reason}</bdi> <span className="muted">(<bdi>{by}</bdi>)</span></p> : null}
    </>
  )
}

function Names({ all }: { all: readonly { name: string; more: string }[] }) {
  return <ul className="recs-names">{all.map(({ name, more }, i) => <li key={`${i} ${name}`}><bdi>{name}</bdi>{more ? <small className="muted"> {more}</small> : null}</li>)}</ul>
}

/** The newest; the audit trail has all. */
const shown = 5

function Downloads({ one }: { one: KeptRecording }) {
  const t = useT()
  const lang = useLang()
  const all = taken(one.downloads)
  return (
    <ul className="recs-downloads">
      {all.slice(0, shown).map(({ name, at, parts, some, film }) => (
        <li key={`${at} ${name} ${film}`}>
          <bdi>{name || t('recs.downloads.gone')}</bdi> <time className="num muted" dateTime={at}>{exactMoment(new Date(at), lang)}</time>
          {film ? <span className="muted"> {t('recs.downloads.film')}</span> : one.parts.length > 1 ? <span className="muted"> {t('recs.downloads.parts', { n: parts.length, total: one.parts.length })}</span> : null}
          {some ? <span className="muted"> {t('recs.downloads.some')}</span> : null}
        </li>
      ))}
      {all.length > shown ? <li className="muted">{t('recs.downloads.more', { n: all.length - shown })}</li> : null}
    </ul>
  )
}
