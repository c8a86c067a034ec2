// The last pages: one plain heading, one way on.
import { CalendarClock, CircleSlash, Clock, DoorClosed, LogOut, MonitorSmartphone, ShieldAlert, TriangleAlert, Users, WifiOff } from 'lucide-react'
import type { ReactNode } from 'react'
import type { GuestView, Problem } from '@/api'
import { ErrorNote, PlainPage } from '@/features/frame'
import { Said, useLang, useT, Words } from '@/i18n'
import { moment } from '@/i18n/dates'
import { Button } from '@/ui'
import type { GuestVisit, Visit } from './visit'

type Ended = Extract<Visit, { at: 'guest' }>['ended']

interface EndingProps {
  visit: GuestVisit
  view: GuestView
  ended: Ended
}

export function Ending({ visit, view, ended }: EndingProps) {
  const t = useT()
  const subtitle = t('frame.meeting')
  switch (view.status) {
    case 'denied':
      return (
        <PlainPage subtitle={subtitle} title={t('end.denied')} icon={<CircleSlash />}>
          {view.knock?.message ? <blockquote className="said"><bdi>{view.knock.message}</bdi></blockquote> : null}
          <p>{t(`end.denied.${view.recognised_by}`)}</p>
          <p>{t('end.denied.more')}</p>
        </PlainPage>
      )
    case 'banned':
      return (
        <PlainPage subtitle={subtitle} title={t('end.banned')} icon={<CircleSlash />}>
          {view.knock?.message ? <blockquote className="said"><bdi>{view.knock.message}</bdi></blockquote> : null}
          <p>{t(`end.denied.${view.recognised_by}`)}</p>
          <p>{t('end.denied.more')}</p>
        </PlainPage>
      )
    case 'ended':
      return <PlainPage subtitle={subtitle} title={t('end.ended')} icon={<DoorClosed />}><p>{t('end.ended.more')}</p></PlainPage>
    case 'removed':
      return <Removed by={view.recognised_by} />
    case 'revoked':
      return <PlainPage subtitle={subtitle} title={t('end.expired')} icon={<CircleSlash />}><p>{t('end.revoked.more')}</p></PlainPage>
    case 'expired':
      return <PlainPage subtitle={subtitle} title={t('end.expired')} icon={<Clock />}><p>{t('end.expired.ask', { host: view.meeting.organiser })}</p></PlainPage>
    case 'withdrawn':
      return (
        <PlainPage subtitle={subtitle} title={t('end.withdrawn')} icon={<LogOut className="flip" />}>
          <Again visit={visit} view={view} />
        </PlainPage>
      )
    default:
      return <LeftCall visit={visit} view={view} ended={ended} />
  }
}

/** Admitted, but the call on this device is over. */
function LeftCall({ visit, view, ended }: EndingProps) {
  const t = useT()
  const back = <Button kind="primary" onClick={visit.comeBack}>{t('end.return')}</Button>
  if (ended === 'removed') return <Removed by={view.recognised_by} />
  // Of a permanent meeting: one may ask again.
  if (view.status === 'entry') return <PlainPage subtitle={t('frame.meeting')} title={t('end.ended')} icon={<DoorClosed />}><p>{t('end.sitting.more')}</p><Button onClick={visit.comeBack}>{t('entry.do')}</Button></PlainPage>
  if (ended === 'elsewhere') return <PlainPage subtitle={t('frame.meeting')} title={t('end.elsewhere')} icon={<MonitorSmartphone />}><p>{t('end.elsewhere.more')}</p>{back}</PlainPage>
  if (ended !== null && ended !== 'left') return <PlainPage subtitle={t('frame.meeting')} title={t('end.lost')} icon={<WifiOff />} tone="warn"><p>{t('end.lost.more')}</p>{back}</PlainPage>
  return <PlainPage subtitle={t('frame.meeting')} title={t('end.left')} icon={<LogOut className="flip" />}><p>{t('end.left.more')}</p>{back}</PlainPage>
}

function Removed({ by }: { by: GuestView['recognised_by'] }) {
  const t = useT()
  return <PlainPage subtitle={t('frame.meeting')} title={t('end.removed')} icon={<CircleSlash />}><p>{t(`end.denied.${by}`)}</p><p>{t('end.denied.more')}</p></PlainPage>
}

/** After leaving the waiting room one may ask again. */
function Again({ visit, view }: { visit: GuestVisit; view: GuestView }) {
  const t = useT()
  const again = () => void visit.knock(view.knock?.name ?? view.link.guest_name ?? '', view.knock?.organisation ?? '').catch(() => undefined)
  return (
    <>
      <p>{t('end.withdrawn.more')}</p>
      <Button kind="primary" onClick={again}>{t('entry.do')}</Button>
    </>
  )
}

const lines = ['guests', 'shared_links', 'personal_links', 'pin', 'link_hours']

/** The right link, but not one for this meeting's security profile: which line refuses it, and what helps. */
function ByRules({ problem, host, retry }: { problem: Problem; host: string; retry: () => void }) {
  const t = useT()
  const line = problem.code === 'profile-unavailable' ? 'lacking' : (lines.find((one) => one === problem.text('line')) ?? 'other').replace('_', '')
  const { profile } = problem.document
  const name = typeof profile === 'object' && profile !== null ? (profile as Record<string, string>) : undefined
  return (
    <>
      <p>{t(`end.rules.${line}`)}</p>
      <p><Words id={`end.rules.ask.${line}`} values={{ host: <bdi>{host}</bdi> }} /></p>
      {name ? <p className="sm muted"><Words id="end.rules.profile" values={{ name: <Said texts={name} /> }} /></p> : null}
      {line === 'guests' ? null : <Button kind="primary" onClick={retry}>{t('common.retry')}</Button>}
    </>
  )
}

/** The link was not redeemed, and why. An unknown link and a wrong secret teach nothing: one page for both. */
export function Refused({ problem, retry }: { problem: Problem; retry: () => void }) {
  const t = useT()
  const lang = useLang()
  const when = (member: string): string => {
    const at = problem.text(member)
    return at ? moment(new Date(at), lang) : ''
  }
  const host = problem.text('host') ?? t('end.thehost')
  const page = (title: string, icon: ReactNode, body: ReactNode, tone: 'plain' | 'warn' = 'plain') => (
    <PlainPage subtitle={t('frame.meeting')} title={title} icon={icon} tone={tone}>{body}</PlainPage>
  )
  switch (problem.code) {
    case 'link-early':
      return page(t('end.early', { date: when('valid_from') }), <CalendarClock />, <><p>{t('end.early.more')}</p><Button kind="primary" onClick={retry}>{t('common.retry')}</Button></>)
    case 'link-expired':
      return page(t('end.expired'), <Clock />, <p>{t('end.expired.ask', { host })}</p>)
    case 'link-revoked':
      return page(t('end.expired'), <CircleSlash />, <p>{t('end.revoked.more')}</p>)
    case 'link-full':
      return page(t('end.full'), <Users />, <><p>{t('end.full.more')}</p><Button kind="primary" onClick={retry}>{t('common.retry')}</Button></>)
    case 'link-in-use':
      return page(t('end.inuse'), <MonitorSmartphone />, <p>{t('links.inuse', { host })}</p>)
    case 'denied':
      return page(t('end.denied'), <CircleSlash />, <><p>{t('end.denied.browser')}</p><p>{t('end.denied.more')}</p></>)
    case 'banned':
      return page(t('end.banned'), <CircleSlash />, <p>{t('end.denied.more')}</p>)
    case 'meeting-ended':
      return page(t('end.ended'), <DoorClosed />, <p>{t('end.ended.more')}</p>)
    case 'profile-refuses':
    case 'profile-unavailable':
      return page(t('end.rules'), <ShieldAlert />, <ByRules problem={problem} host={host} retry={retry} />)
    case 'offline':
    case 'internal':
    case 'unavailable':
    case 'too-many':
      return page(t('end.nostart'), <TriangleAlert />, <ErrorNote error={problem} retry={retry} />, 'warn')
    default:
      return page(t('end.expired'), <CircleSlash />, <p>{t('end.unknown.more')}</p>)
  }
}
