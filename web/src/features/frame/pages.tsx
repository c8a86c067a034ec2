// Pages that say one thing: what happened, then what to do.
import { CircleAlert, TriangleAlert } from 'lucide-react'
import { Component, lazy, type ReactNode } from 'react'
import { isProblem } from '@/api'
import { loadCallWords, useT } from '@/i18n'
import { Button, Heading, patiently, useAfter, useTitle } from '@/ui'
import { Frame } from './Frame'

interface PlainProps {
  subtitle: string
  title: string
  icon?: ReactNode
  tone?: 'plain' | 'warn' | 'danger'
  children?: ReactNode
}

export function PlainPage({ subtitle, title, icon, tone = 'plain', children }: PlainProps) {
  useTitle(title)
  return (
    <Frame subtitle={subtitle}>
      <main id="main" className="plain-page">
        <div className="card">
          {icon ? <div className={`mark ${tone}`} aria-hidden="true">{icon}</div> : null}
          <Heading>{title}</Heading>
          {children}
        </div>
      </main>
    </Frame>
  )
}

/** What is shown when a part of the page did not arrive or has failed: never a blank page. */
export class Boundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false }
  static getDerivedStateFromError() {
    return { failed: true }
  }
  override render() {
    return this.state.failed ? <Broken /> : this.props.children
  }
}

function Broken() {
  const t = useT()
  return (
    <PlainPage subtitle={t('frame.meeting')} title={t('end.nostart')} icon={<TriangleAlert />} tone="warn">
      <p>{t('common.broken')}</p>
      <Button kind="primary" onClick={() => location.reload()}>{t('common.reload')}</Button>
    </PlainPage>
  )
}

/** No call can work here; few ever see why, and nobody else waits for those words. */
export const Obstructed = lazy(() => patiently(() => Promise.all([import('./Obstructed'), loadCallWords()])).then(([module]) => ({ default: module.Obstructed })))

/** Nothing for 300 ms, then a word; after five seconds, a sentence. */
export function Loading() {
  const t = useT()
  const shown = useAfter(300)
  const slow = useAfter(5000)
  return (
    <p className="loading" role="status">
      {slow ? t('entry.slow') : shown ? t('common.loading') : ''}
    </p>
  )
}

/** What went wrong with a call to the server, with a way to try again. */
export function ErrorNote({ error, retry }: { error: unknown; retry?: () => void }) {
  const t = useT()
  return (
    <div className="note danger" role="alert">
      <CircleAlert aria-hidden="true" />
      <div className="stack-s">
        <p>{said(error, t)}</p>
        {retry ? <div><Button onClick={retry}>{t('common.retry')}</Button></div> : null}
      </div>
    </div>
  )
}

function said(error: unknown, t: ReturnType<typeof useT>): string {
  if (isProblem(error, 'offline')) return t('common.unreachable')
  if (isProblem(error, 'forbidden')) return t('common.forbidden')
  if (isProblem(error, 'not-found')) return t('common.notfound')
  if (isProblem(error, 'not-stored')) return t('common.notstored')
  if (isProblem(error, 'too-many')) return t('common.toomany', { n: error.retryAfter ?? 60 })
  if (isProblem(error, 'meeting-ended')) return t('end.ended')
  if (isProblem(error, 'invalid', 'conflict')) return Object.values(error.fields)[0] ?? error.message
  const number = isProblem(error) ? error.text('instance') : undefined
  return number ? t('common.failed.id', { id: number }) : t('common.failed.plain')
}
