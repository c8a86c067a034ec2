// What verifying found, in words; then the archive's key.
import { FolderDown, KeyRound, ShieldAlert, ShieldCheck, ShieldQuestionMark } from 'lucide-react'
import { useRef, useState, type ReactNode } from 'react'
import { useLang, useT, Words } from '@/i18n'
import { exactMoment } from '@/i18n/stamps'
import { AreaField, Button, Field } from '@/ui'
import type { Failure, Report } from './messages'
import { chooseFolder, writesFolders } from './save'
import { Trouble } from './Trouble'
import { verdictOf } from './verdict'

interface Props {
  report: Report
  failure: Failure | null
  /** It does not fit into memory, as far as can be told beforehand. */
  tooLarge: boolean
  onOpen: (keys: Blob, into: FileSystemDirectoryHandle | null) => void
  onAgain: () => void
}

export function Found({ report, failure, tooLarge, onOpen, onAgain }: Props) {
  const t = useT()
  return (
    <>
      <section className="card opening-card" aria-labelledby="opening-found" data-testid="found">
        <h2 id="opening-found" tabIndex={-1} data-step="found">{t('opening.found')}</h2>
        <Verdict report={report} />
        {report.stranger ? null : <Parts report={report} />}
        {report.text.length > 0 ? (
          <details>
            <summary>{t('opening.text')}</summary>
            {/* Scrolls by keyboard, too. */}
            {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
            <pre className="opening-text" dir="ltr" lang="en" tabIndex={0}>{report.text.join('\n')}</pre>
          </details>
        ) : null}
        <div><Button onClick={onAgain}>{t('opening.other')}</Button></div>
      </section>
      {report.parts.some(({ segments }) => segments > 0) ? <Keys damaged={report.findings.length > 0} failure={failure} tooLarge={tooLarge} name={folderName(report)} onOpen={onOpen} /> : null}
    </>
  )
}

/** What is in the binding is believed to be an id only as far as it looks like one. */
const folderName = (report: Report) => `recording-${report.parts.map(({ recording }) => recording).find((id) => /^[A-Za-z0-9_-]{1,80}$/.test(id)) ?? 'opened'}`

function Verdict({ report }: { report: Report }) {
  const t = useT()
  const { tone, id, n: altered, part } = verdictOf(report)
  const Icon = altered > 0 ? ShieldAlert : tone === 'warn' ? ShieldQuestionMark : ShieldCheck
  return (
    <div className={`note ${tone} opening-verdict`}>
      <Icon aria-hidden="true" />
      <div className="stack-s">
        <p><b>{t(id, { n: altered, part })}</b></p>
        {altered > 0 && !report.stranger ? <Findings report={report} /> : null}
        {report.unclosed ? <p>{t(report.unclosed.part === 0 ? 'opening.nothing' : report.unclosed.shutdown ? 'opening.shutdown' : 'opening.unclosed', { part: report.unclosed.part, segment: report.unclosed.segment })}</p> : null}
        {report.stranger ? null : <p>{report.node ? <Words id="opening.signed" values={{ node: <bdi>{report.node}</bdi> }} /> : t('opening.unsigned')}</p>}
      </div>
    </div>
  )
}

const shown = 8

function Findings({ report }: { report: Report }) {
  const t = useT()
  const rest = report.findings.length + report.more - shown
  return (
    <ul className="opening-findings">
      {report.findings.slice(0, shown).map(({ kind, part, segment }, i) => (
        <li key={i}>{part > 0 ? <>{t(segment > 0 ? 'opening.place' : 'opening.place.part', { part, segment })} </> : null}{t(`opening.kind.${kind}`)}</li>
      ))}
      {rest > 0 ? <li>{t('opening.more', { n: rest })}</li> : null}
    </ul>
  )
}

function Parts({ report }: { report: Report }) {
  const t = useT()
  const lang = useLang()
  const told = (at: string | undefined): ReactNode => (at ? <time dateTime={at}>{exactMoment(new Date(at), lang)}</time> : '?')
  return (
    <ul className="opening-parts sm">
      {report.parts.map((one) => (
        <li key={one.name}>
          <b>{one.part > 0 ? t('opening.part', { part: one.part }) : <bdi>{one.name}</bdi>}</b>{' '}
          <span className="muted"><Words id={one.ended ? 'opening.part.closed' : 'opening.part.open'} values={{ from: told(one.began), to: told(one.ended), n: one.segments }} /></span>
          {one.lost > 0 ? <span className="muted"> · {t('opening.part.lost', { n: one.lost })}</span> : null}
        </li>
      ))}
    </ul>
  )
}

interface KeysProps { damaged: boolean; failure: Failure | null; tooLarge: boolean; name: string; onOpen: Props['onOpen'] }

function Keys({ damaged, failure, tooLarge, name, onOpen }: KeysProps) {
  const t = useT()
  const form = useRef<HTMLFormElement>(null)
  const [given, setGiven] = useState(false)
  const [refused, setRefused] = useState<Failure | null>(null)
  // The key stays where it was typed or chosen until it goes to the worker: in no state of the page.
  const file = () => (form.current?.elements.namedItem('keyfile') as HTMLInputElement | null)?.files?.[0]
  const pasted = () => form.current?.elements.namedItem('keytext') as HTMLTextAreaElement | null
  const keys = (): Blob | null => {
    const text = pasted()
    const taken = file() ?? (text?.value.trim() ? new Blob([text.value]) : null)
    return taken
  }
  const clear = () => {
    const text = pasted()
    if (text) text.value = ''
  }
  const look = () => setGiven(file() !== undefined || pasted()?.value.trim() !== '')
  const open = (into: FileSystemDirectoryHandle | null) => {
    const taken = keys()
    if (!taken) return
    clear()
    onOpen(taken, into)
  }
  const trouble = refused ?? failure
  // Neither this key nor another makes the browser remember more: there is nothing to try again.
  if (trouble?.code === 'too-much') return <section className="card opening-card"><Trouble failure={trouble} /></section>
  const toFolder = async () => {
    try {
      const into = await chooseFolder(name)
      if (into) open(into)
    } catch (error) {
      setRefused({ code: 'unwritable', detail: error instanceof Error ? error.message : '' })
    }
  }
  return (
    <form
      ref={form} className="card opening-card" autoComplete="off"
      onSubmit={(event) => {
        event.preventDefault()
        if (!tooLarge) open(null)
      }}
    >
      <h2 tabIndex={-1} data-step="key">{t('opening.key')}</h2>
      {trouble ? <Trouble failure={trouble} /> : null}
      <p className="muted">{t('opening.key.where')}</p>
      <Field type="file" name="keyfile" label={t('opening.key.file')} onChange={look} />
      <AreaField name="keytext" rows={2} label={t('opening.key.paste')} autoComplete="off" autoCorrect="off" autoCapitalize="off" spellCheck={false} dir="ltr" className="opening-key" onChange={look} />
      {damaged ? <p className="note warn">{t('opening.damaged')}</p> : null}
      {tooLarge ? <p className="note warn">{t(writesFolders() ? 'opening.toolarge' : 'opening.toolarge.command')}</p> : null}
      <div className="row">
        {tooLarge ? null : <Button type="submit" kind={damaged ? 'danger' : 'primary'} icon={<KeyRound aria-hidden="true" />} disabled={!given}>{t(damaged ? 'opening.open.damaged' : 'opening.open')}</Button>}
        {writesFolders() ? <Button icon={<FolderDown aria-hidden="true" />} disabled={!given} onClick={() => void toFolder()}>{t('opening.folder')}</Button> : null}
      </div>
      <p className="sm muted">{t('opening.memory')}</p>
    </form>
  )
}
