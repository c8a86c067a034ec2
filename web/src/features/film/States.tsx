import { Clapperboard, Hourglass, LockKeyhole, RotateCcw, TriangleAlert } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import type { Film, KeptRecording } from '@/api'
import { ErrorNote } from '@/features/frame'
import { useT } from '@/i18n'
import { announce, Button } from '@/ui'
import { lasting, leftOf, reasons, stageOf, type Screen } from './told'

interface Props {
  screen: Exclude<Screen, 'done'>
  one: KeptRecording
  again: () => Promise<void>
}

/** Why there is nothing to see yet, and what comes next. */
export function States({ screen, one, again }: Props) {
  const t = useT()
  const stays = one.film?.made ? <p>{t('film.anew.stays')}</p> : null
  const film = one.film
  switch (screen) {
    case 'recording': return <State icon={<Hourglass aria-hidden="true" />} title={t('film.recording')}><p>{t('film.recording.more')}</p></State>
    case 'none': return <State icon={<LockKeyhole aria-hidden="true" />} title={t('film.none')}><p>{t('film.none.more')}</p></State>
    case 'queued': return <State icon={<Hourglass aria-hidden="true" />} title={t('film.queued')}><p>{t('film.queued.place', { n: film?.ahead ?? 0 })}</p>{film?.reason ? <p>{t('film.queued.again', { n: film.attempts ?? 0 })} {t(reasons[film.reason])}</p> : null}{stays}<p className="muted">{t('film.leave')}</p></State>
    case 'running': return <State icon={<Clapperboard aria-hidden="true" />} title={t('film.running')}>{film ? <Progress film={film} /> : null}{stays}<p className="muted">{t('film.leave')}</p></State>
    case 'unavailable': return <State icon={<TriangleAlert aria-hidden="true" />} tone="warn" title={t('film.unavailable')}><p>{t('film.unavailable.more')}</p>{stays}</State>
    case 'failed': return <State icon={<TriangleAlert aria-hidden="true" />} tone="danger" title={t('film.failed')}><p>{t(reasons[film?.reason ?? 'error'])}</p>{lasting(film?.reason) || !hosts(one) ? null : <Again again={again} />}<p className="muted">{t(film?.made ? 'film.anew.kept' : 'film.failed.parts')}</p></State>
  }
}

/** Who may share it hosts it, and may have its film made again. */
const hosts = ({ may }: KeptRecording): boolean => may.includes('share')

function State({ icon, tone = '', title, children }: { icon: ReactNode; tone?: 'warn' | 'danger' | ''; title: string; children: ReactNode }) {
  return (
    <section className={`card film-state ${tone}`} aria-labelledby="film-state" aria-live="polite">
      <h2 id="film-state" tabIndex={-1}>{icon}{title}</h2>
      {children}
    </section>
  )
}

function Progress({ film }: { film: Film }) {
  const t = useT()
  const { id, n, of, done } = stageOf(film)
  const left = leftOf(film)
  return (
    <>
      <p>{t('film.stage', { n, of, what: t(id) })}</p>
      {/* One that moves says nothing where nothing is known. */}
      <progress aria-label={t(id)} {...(done === null ? {} : { value: done, max: 1 })} />
      {left === null ? null : <p>{t('film.left', { n: left })}</p>}
    </>
  )
}

function Again({ again }: { again: () => Promise<void> }) {
  const t = useT()
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const act = async () => {
    setBusy(true)
    setError(null)
    try {
      await again()
      announce(t('film.queued'))
    } catch (problem) {
      setError(problem)
    }
    setBusy(false)
  }
  return <>{error ? <ErrorNote error={error} /> : null}<div className="row"><Button kind="primary" busy={busy} icon={<RotateCcw aria-hidden="true" />} onClick={() => void act()}>{t('film.again')}</Button></div></>
}
