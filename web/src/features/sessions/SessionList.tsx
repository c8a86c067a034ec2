// The browsers in which an account is signed in, for its owner and for administrators.
import type { OwnSession } from '@/api'
import { useLang, useT, type Translate } from '@/i18n'
import { shortMoment } from '@/i18n/stamps'
import { Button } from '@/ui'
import './sessions.css'

/** Such as "Firefox on Windows", as far as it is known. */
function browserName({ browser, system }: Pick<OwnSession, 'browser' | 'system'>, t: Translate): string {
  if (browser && system) return t('sessions.on', { browser, system })
  return browser ?? (system ? t('sessions.system', { system }) : t('sessions.unknown'))
}

interface Props {
  sessions: readonly OwnSession[]
  onEnd: (one: OwnSession) => void
  busy: boolean
}

export function SessionList({ sessions, onEnd, busy }: Props) {
  return <ul className="sessions">{sessions.map((one) => <Line key={one.id} one={one} onEnd={() => onEnd(one)} busy={busy} />)}</ul>
}

function Line({ one, onEnd, busy }: { one: OwnSession; onEnd: () => void; busy: boolean }) {
  const t = useT()
  const lang = useLang()
  const name = browserName(one, t)
  const since = shortMoment(new Date(one.created_at), lang)
  const facts = [t('sessions.since', { date: since }), ...(one.by_code ? [t('sessions.code')] : []), t('sessions.used', { date: shortMoment(new Date(one.used_at), lang) })]
  return (
    <li>
      <div className="what">
        <b>{name}{one.current ? <span className="chip">{t('sessions.this')}</span> : null}</b>
        <p className="sm muted">{facts.join(' · ')}{one.place ? <span className="place">{t('sessions.place')} <bdi dir="ltr">{one.place}</bdi></span> : null}</p>
      </div>
      {one.current ? null : <Button busy={busy} onClick={onEnd}>{t('sessions.end')}<span className="vh"> {t('sessions.end.which', { browser: name, date: since })}</span></Button>}
    </li>
  )
}
