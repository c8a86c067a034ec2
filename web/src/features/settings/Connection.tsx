// The connection in one sentence, and a sheet for those who help.
import { Check, Copy } from 'lucide-react'
import { useEffect, useState } from 'react'
import { sheet, type Figures, type Picture } from '@/call/quality'
import { useLang, useT } from '@/i18n'
import { localeOf } from '@/i18n/languages'
import { announce, Button } from '@/ui'

export type Told = 'good' | 'fair' | 'weak' | 'lost'

const every = 2_000

export function Connection({ look, quality }: { look: () => Promise<Figures>; quality: Told }) {
  const t = useT()
  const figures = useFigures(look)
  return (
    <section className="stack-s" data-testid="connection-details">
      <h3>{t('conn.title')}</h3>
      <p role="status">{t(`conn.${quality}`)}</p>
      {figures ? <Sheet figures={figures} /> : null}
    </section>
  )
}

function Sheet({ figures }: { figures: Figures }) {
  const t = useT()
  const lang = useLang()
  const [copied, setCopied] = useState(false)
  const known = (value: number | null, shown: (value: number) => string) => (value === null ? t('conn.unknown') : shown(value))
  const rate = (bps: number) => `${new Intl.NumberFormat(localeOf(lang), { maximumFractionDigits: 0 }).format(bps / 1000)} kbit/s`
  const part = (of: number) => new Intl.NumberFormat(localeOf(lang), { style: 'percent', maximumFractionDigits: 1 }).format(of)
  const time = (ms: number) => new Intl.NumberFormat(localeOf(lang), { style: 'unit', unit: 'millisecond', maximumFractionDigits: 0 }).format(ms)
  const seen = (picture: Picture | null) => (picture ? `${picture.width} × ${picture.height}, ${picture.codec}` : t('conn.nopicture'))
  const copy = () => {
    void navigator.clipboard.writeText(sheet(figures, new Date(), navigator.userAgent)).then(() => {
      setCopied(true)
      announce(t('net.copied'))
    })
  }
  const rows: [string, string][] = [
    [t('net.way'), figures.way ? t(`net.way.${figures.way}`) : t('conn.unknown')],
    [t('net.delay'), known(figures.delay, time)], [t('net.jitter'), known(figures.jitter, time)],
    [t('net.lossup'), known(figures.lossUp, part)], [t('net.lossdown'), known(figures.lossDown, part)],
    [t('net.up'), known(figures.up, rate)], [t('net.down'), known(figures.down, rate)],
    [t('conn.sent'), seen(figures.sent)], [t('conn.received'), seen(figures.received)],
  ]
  return (
    <details className="sm figures">
      <summary>{t('net.details')}</summary>
      <dl>{rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      <Button kind="quiet" icon={copied ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />} onClick={copy}>{t(copied ? 'net.copied' : 'net.copy')}</Button>
    </details>
  )
}

function useFigures(look: () => Promise<Figures>): Figures | null {
  const [figures, setFigures] = useState<Figures | null>(null)
  useEffect(() => {
    let current = true
    const again = () => void look().then((found) => current && setFigures(found))
    again()
    const timer = setInterval(again, every)
    return () => {
      current = false
      clearInterval(timer)
    }
  }, [look])
  return figures
}
