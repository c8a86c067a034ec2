// The network test: one press, one sentence, and a sheet for those who help.
import { Check, Copy, Gauge } from 'lucide-react'
import { useEffect, useState } from 'react'
import { networkCalls } from '@/api/network'
import { NetworkTest as Test, sheet, ways, type Figures, type Report, type Verdict } from '@/call/network'
import { useLang, useT } from '@/i18n'
import { localeOf } from '@/i18n/languages'
import { announce, Button, useStore } from '@/ui'

const words: Record<Verdict, string> = { picture: 'net.good', small: 'net.small', sound: 'net.weak', weak: 'net.poor', none: 'net.none' }

/** bearer: of a guest; agents have none. */
export function NetworkTest({ bearer }: { bearer?: string | undefined }) {
  const t = useT()
  const [test] = useState(() => new Test(networkCalls(bearer), () => import('@/call/networkLab').then((module) => module.lab)))
  useEffect(() => () => test.dispose(), [test])
  const state = useStore(test.state)
  const running = state.is === 'running'
  return (
    <div className="stack-s" data-testid="network" data-verdict={state.is === 'done' ? state.report.verdict : undefined}>
      <div className="row">
        <Button icon={<Gauge aria-hidden="true" />} onClick={() => void test.run()} aria-disabled={running}>{t(state.is === 'done' ? 'net.again' : 'net.ask')}</Button>
      </div>
      <p role="status" className={`sm ${state.is === 'idle' ? 'empty' : ''}`}>
        {running ? t(`net.step.${state.step}`) : state.is === 'failed' ? t(`net.failed.${state.why}`) : state.is === 'done' ? t(words[state.report.verdict]) : ''}
      </p>
      {state.is === 'done' ? <Details report={state.report} /> : null}
    </div>
  )
}

function Details({ report }: { report: Report }) {
  const t = useT()
  const { figures, passages, verdict } = report
  const [copied, setCopied] = useState(false)
  const copy = () => {
    void navigator.clipboard.writeText(sheet(report, navigator.userAgent)).then(() => {
      setCopied(true)
      announce(t('net.copied'))
    })
  }
  return (
    <>
      {verdict !== 'none' && passages.udp === 'blocked' ? <p className="sm muted">{t('net.noudp')}</p> : null}
      <details className="sm sheet">
        <summary>{t('net.details')}</summary>
        <dl>
          {figures ? <Measured figures={figures} /> : null}
          {ways.map((way) => <Row key={way} name={t(`net.way.${way}`)} value={t(`net.${passages[way]}`)} />)}
        </dl>
        <Button kind="quiet" icon={copied ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />} onClick={copy}>{t(copied ? 'net.copied' : 'net.copy')}</Button>
      </details>
    </>
  )
}

function Measured({ figures }: { figures: Figures }) {
  const t = useT()
  const lang = useLang()
  const rate = (bps: number) => `${new Intl.NumberFormat(localeOf(lang), { maximumSignificantDigits: 2 }).format(bps / 1_000_000)} Mbit/s`
  const part = (of: number) => new Intl.NumberFormat(localeOf(lang), { style: 'percent', maximumFractionDigits: 1 }).format(of)
  const time = (ms: number) => new Intl.NumberFormat(localeOf(lang), { style: 'unit', unit: 'millisecond', maximumFractionDigits: 0 }).format(ms)
  return (
    <>
      {figures.way ? <Row name={t('net.way')} value={t(`net.way.${figures.way}`)} /> : null}
      <Row name={t('net.up')} value={rate(figures.up)} />
      <Row name={t('net.down')} value={rate(figures.down)} />
      <Row name={t('net.lossup')} value={part(figures.lossUp)} />
      <Row name={t('net.lossdown')} value={part(figures.lossDown)} />
      <Row name={t('net.delay')} value={time(figures.delay)} />
      <Row name={t('net.jitter')} value={time(figures.jitter)} />
    </>
  )
}

function Row({ name, value }: { name: string; value: string }) {
  return <div><dt>{name}</dt><dd>{value}</dd></div>
}
