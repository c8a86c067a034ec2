import { useId } from 'react'
import { type KeptRecording, type Meeting } from '@/api'
import { useLang, useT, Words } from '@/i18n'
import { exactMoment, shortMoment } from '@/i18n/stamps'
import { sized } from '@/i18n/sizes'
import { Acts } from './Acts'
import { Opening } from './Opening'
import { because, length, taken } from './told'

interface Props { meeting: Meeting; one: KeptRecording }

export function One({ meeting, one }: Props) {
  const t = useT()
  const lang = useLang()
  const title = useId()
  const long = one.to ? length(new Date(one.from), new Date(one.to)) : null
  const bytes = one.parts.length > 0 ? one.parts.reduce((sum, part) => sum + part.bytes, 0) : one.bytes
  return (
    <li aria-labelledby={title}>
      <div className="head">
        <h3 id={title}><time dateTime={one.from}>{shortMoment(new Date(one.from), lang)}</time></h3>
        <span className={one.state === 'stopped' ? 'chip' : 'chip warn'}>{t(`recs.state.${one.state}`)}</span>
      </div>
      <dl className="recs-facts">
        <dt>{t('recs.purpose')}</dt>
        <dd><bdi>{one.purpose}</bdi> <span className="muted"><Words id="recs.by" values={{ name: <bdi>{one.by}</bdi> }} /></span></dd>
        {long ? <><dt>{t('recs.length')}</dt><dd>{t(long.id, long.values)}</dd></> : null}
        {one.because ? <><dt>{t(one.state === 'interrupted' ? 'recs.why.interrupted' : 'recs.why')}</dt><dd>{t(because[one.because])}</dd></> : null}
        <dt>{t('recs.people')}</dt>
        <dd>{one.people.length > 0 ? <Names all={one.people.map(({ name, withdrawn }) => ({ name, more: withdrawn ? t('recs.withdrawn') : '' }))} /> : t('recs.nobody')}</dd>
        {one.declined.length > 0 ? <><dt>{t('recs.declined')}</dt><dd><Names all={one.declined.map((name) => ({ name, more: '' }))} /></dd></> : null}
        {bytes > 0 ? <><dt>{t('recs.size')}</dt><dd>{sized(bytes, lang)}{one.parts.length > 1 ? ` ${t('recs.parts', { n: one.parts.length })}` : ''}</dd></> : null}
        {one.expires_at ? <><dt>{t('recs.kept')}</dt><dd><time dateTime={one.expires_at}>{shortMoment(new Date(one.expires_at), lang)}</time></dd></> : null}
        {one.downloads.length > 0 ? <><dt>{t('recs.downloads')}</dt><dd><Downloads one={one} /></dd></> : null}
      </dl>
      <Acts meeting={meeting} one={one} />
      {one.sealed ? <Opening one={one} /> : null}
    </li>
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
      {all.slice(0, shown).map(({ name, at, parts }) => (
        <li key={`${at} ${name}`}>
          <bdi>{name || t('recs.downloads.gone')}</bdi> <time className="num muted" dateTime={at}>{exactMoment(new Date(at), lang)}</time>
          {one.parts.length > 1 ? <span className="muted"> {t('recs.downloads.parts', { n: parts.length, total: one.parts.length })}</span> : null}
        </li>
      ))}
      {all.length > shown ? <li className="muted">{t('recs.downloads.more', { n: all.length - shown })}</li> : null}
    </ul>
  )
}
