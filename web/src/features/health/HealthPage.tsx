// How the server is, for administrators of the installation: what needs somebody, with what to do, and everything that was
// measured. It renews itself; the page, the focus and what is read aloud stay.
import { useQuery } from '@tanstack/react-query'
import { Check, CircleCheck, CircleQuestionMark, CircleX, Copy, RefreshCw, TriangleAlert, WifiOff } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { agent, isProblem, type HealthFinding, type ServerHealth } from '@/api'
import { Pending } from '@/features/frame'
import { AgentFrame, type AgentProps } from '@/features/meeting'
import { useLang, useT, Words } from '@/i18n'
import { exactMoment } from '@/i18n/stamps'
import { announce, Button, Heading, useTitle } from '@/ui'
import { areasOf, figure, forSupport, isAdvised, remedyOf, sentenceOf, summaryOf, type Area, type Level } from './findings'
import './health.css'

const renewedEvery = 30_000

export function HealthPage(frame: AgentProps) {
  const t = useT()
  const { data, error, isFetching, refetch } = useQuery({ queryKey: ['health'], queryFn: agent.health, refetchInterval: renewedEvery, retry: (count, why) => isProblem(why, 'offline') && count < 1 })
  const title = t('health.title')
  const { level, points } = summaryOf(data?.findings ?? [])
  useTitle(data && level !== 'fine' ? `(${points}) ${title}` : title)
  const again = () => void refetch()
  return (
    <AgentFrame {...frame}>
      <main id="main" className="meetings">
        {isProblem(error, 'forbidden') ? <Refused /> : data ? (
          <>
            <div className="stack-s">
              <p className="sm"><a href="/">{t('meetings.title')}</a></p>
              <div className="head">
                <Heading>{title}</Heading>
                <CopyButton health={data} />
              </div>
              <p className="muted">{t('health.body')}</p>
            </div>
            {error ? <div className="note warn" role="alert"><WifiOff aria-hidden="true" /><p>{t('health.stale')}</p></div> : null}
            <Summary health={data} busy={isFetching} onAgain={again} />
            <ul className="card health-areas">{areasOf(data.findings).map((area) => <AreaRow key={area.area} {...area} />)}</ul>
          </>
        ) : <Pending title={title} error={error} retry={again} />}
      </main>
    </AgentFrame>
  )
}

const icons: Readonly<Record<Level, ReactNode>> = {
  fine: <CircleCheck aria-hidden="true" />, attention: <TriangleAlert aria-hidden="true" />, broken: <CircleX aria-hidden="true" />, unknown: <CircleQuestionMark aria-hidden="true" />,
}
const tones: Readonly<Record<Level, string>> = { fine: 'ok', attention: 'warn', broken: 'danger', unknown: '' }

function Summary({ health, busy, onAgain }: { health: ServerHealth; busy: boolean; onAgain: () => void }) {
  const t = useT()
  const lang = useLang()
  const { level, points, unmeasured } = summaryOf(health.findings)
  return (
    <section className={`card health-summary ${level}`}>
      {/* Read aloud when it changes; the time beside it changes all the time. */}
      <p role="status">{icons[level]}<b>{points === 0 ? t('health.allwell') : t('health.points', { n: points })}</b></p>
      <Button kind="quiet" icon={<RefreshCw aria-hidden="true" />} busy={busy} onClick={onAgain}>{t('health.refresh')}</Button>
      <p className="sm muted">
        {t('health.measured', { date: exactMoment(new Date(health.measured_at), lang) })}. {t('health.auto')} {unmeasured > 0 ? `${t('health.unmeasured', { n: unmeasured })}.` : ''}
      </p>
    </section>
  )
}

function AreaRow({ area, level, findings }: Area) {
  const t = useT()
  return (
    <li>
      <div className="of">
        <h2>{t(`health.area.${area}`)}</h2>
        <span className={`chip ${tones[level]}`}>{icons[level]}{t(`health.level.${level}`)}</span>
      </div>
      <ul>{findings.map((finding, i) => <Found key={`${finding.code} ${i}`} finding={finding} />)}</ul>
    </li>
  )
}

function Found({ finding }: { finding: HealthFinding }) {
  const t = useT()
  const lang = useLang()
  const { level, code, values } = finding
  const id = sentenceOf(code)
  const figures = Object.fromEntries(values.map((value) => [value.name, <bdi key={value.name}>{figure(value, t, lang)}</bdi>]))
  return (
    <li className={level}>
      {icons[level]}
      <div className="stack-s">
        <p><span className="vh">{t(`health.level.${level}`)}. </span>{t(id) === id ? code : <Words id={id} values={figures} />}</p>
        {isAdvised(finding) && t(remedyOf(code)) !== remedyOf(code) ? <p className="sm muted">{t(remedyOf(code))}</p> : null}
      </div>
    </li>
  )
}

function CopyButton({ health }: { health: ServerHealth }) {
  const t = useT()
  const [copied, setCopied] = useState('')
  const done = copied === health.measured_at
  const copy = () => {
    void navigator.clipboard.writeText(forSupport(health)).then(() => {
      setCopied(health.measured_at)
      announce(t('health.copied'))
    })
  }
  return <Button icon={done ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />} onClick={copy}>{t(done ? 'health.copied' : 'health.copy')}</Button>
}

/** Who administers no installation, and came by the address. */
function Refused() {
  const t = useT()
  return (
    <>
      <p className="sm"><a href="/">{t('meetings.title')}</a></p>
      <Heading>{t('health.title')}</Heading>
      <p className="card empty">{t('health.refused')}</p>
    </>
  )
}
