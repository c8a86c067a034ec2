// Somebody waits: said above whatever page of the agent's is open, until it is handled.
import { Bell, BellRing } from 'lucide-react'
import { useState } from 'react'
import { useT, Words } from '@/i18n'
import { askToNotify, Button, mayAskToNotify, useStore, useTitleBadge } from '@/ui'
import type { Notices } from './useNotices'
import './notices.css'

/** So many are named; the others are on the list of meetings. */
const named = 3

export function NoticeBanner({ notices }: { notices: Notices }) {
  const t = useT()
  const all = useStore(notices) ?? []
  const total = all.reduce((sum, notice) => sum + notice.waiting, 0)
  useTitleBadge(total > 0 ? t('notices.badge', { n: total }) : '')
  if (total === 0) return null
  return (
    <aside className="notices" aria-label={t('notices.label')}>
      <ul>
        {all.slice(0, named).map(({ meeting, title, waiting }) => (
          <li key={meeting}>
            <Bell aria-hidden="true" />
            <span><Words id="notices.one" values={{ n: waiting, title: <bdi>{title}</bdi> }} /></span>
            <a className="btn primary" href={`/m/${meeting}`}>{t('notices.open')}<span className="vh"> : {title}</span></a>
          </li>
        ))}
      </ul>
      {all.length > named ? <p><a href="/">{t('notices.more', { n: all.length - named })}</a></p> : null}
      <Permission />
    </aside>
  )
}

function Permission() {
  const t = useT()
  const [asking, setAsking] = useState(mayAskToNotify)
  if (!asking) return null
  return <Button kind="quiet" icon={<BellRing aria-hidden="true" />} onClick={() => void askToNotify().then(() => setAsking(mayAskToNotify()))}>{t('notices.permit')}</Button>
}

/** In a call, where a banner would push the pictures: one line for the other meetings. */
export function NoticeChip({ notices, except }: { notices: Notices; except: string }) {
  const t = useT()
  const others = (useStore(notices) ?? []).filter(({ meeting }) => meeting !== except)
  const n = others.reduce((sum, notice) => sum + notice.waiting, 0)
  const [first] = others
  if (n === 0 || !first) return null
  // A new tab: opening another meeting must not end this call.
  return <a className="sc knocking elsewhere" href={others.length === 1 ? `/m/${first.meeting}` : '/'} target="_blank" rel="noopener"><span>{t('notices.elsewhere', { n })}</span></a>
}
