import { useQuery } from '@tanstack/react-query'
import { Bell, Plus, Users, Video } from 'lucide-react'
import { agent, type Meeting } from '@/api'
import { ErrorNote, Loading } from '@/features/frame'
import { useLang, useT } from '@/i18n'
import { shortMoment } from '@/i18n/dates'
import { Heading, useTitle } from '@/ui'
import { AgentFrame, type AgentProps } from './AgentFrame'
import './meeting.css'

const refreshEvery = 10_000

export function MeetingsPage(props: AgentProps) {
  const t = useT()
  const { data, error, refetch } = useQuery({ queryKey: ['meetings'], queryFn: agent.meetings, refetchInterval: refreshEvery })
  useTitle(t('meetings.title'))
  return (
    <AgentFrame {...props}>
      <main id="main" className="meetings">
        <div className="head">
          <Heading>{t('meetings.title')}</Heading>
          <a className="btn primary" href="/meetings/new"><Plus aria-hidden="true" />{t('meetings.new')}</a>
        </div>
        {error ? <ErrorNote error={error} retry={() => void refetch()} /> : null}
        {data ? <Lists meetings={data} /> : error ? null : <Loading />}
      </main>
    </AgentFrame>
  )
}

function Lists({ meetings }: { meetings: readonly Meeting[] }) {
  const t = useT()
  const now = meetings.filter((meeting) => meeting.state === 'open')
  const later = meetings.filter((meeting) => meeting.state === 'scheduled')
  const past = meetings.filter((meeting) => meeting.state === 'ended')
  if (now.length + later.length === 0) {
    return (
      <>
        <p className="card empty">{t('meetings.empty')}</p>
        <Group title={t('meetings.past')} meetings={past} />
      </>
    )
  }
  return (
    <>
      <Group title={t('meetings.group.now')} meetings={now} />
      <Group title={t('meetings.group.later')} meetings={later} />
      <Group title={t('meetings.past')} meetings={past} />
    </>
  )
}

function Group({ title, meetings }: { title: string; meetings: readonly Meeting[] }) {
  if (meetings.length === 0) return null
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <ul className="list">
        {meetings.map((meeting) => <Row key={meeting.id} meeting={meeting} />)}
      </ul>
    </section>
  )
}

function Row({ meeting }: { meeting: Meeting }) {
  const t = useT()
  const lang = useLang()
  const when = meeting.ended_at ?? meeting.starts_at ?? meeting.created_at
  const word = meeting.ended_at ? 'meetings.when.ended' : meeting.starts_at ? 'meetings.when.starts' : 'meetings.when.created'
  return (
    <li className="card meeting">
      <div className="what">
        <h3><a href={`/meetings/${meeting.id}`}><bdi>{meeting.title}</bdi></a></h3>
        <p className="sm muted">{t(word, { date: shortMoment(new Date(when), lang) })}</p>
      </div>
      <div className="marks">
        {meeting.waiting > 0 ? <span className="chip warn"><Bell aria-hidden="true" />{t('meetings.waiting', { n: meeting.waiting })}</span> : null}
        {meeting.present > 0 ? <span className="chip"><Users aria-hidden="true" />{t('meetings.present', { n: meeting.present })}</span> : null}
      </div>
      {meeting.state === 'ended' ? null : (
        <a className="btn secondary" href={`/m/${meeting.id}`}><Video aria-hidden="true" />{t(meeting.state === 'open' ? 'meetings.join' : 'meetings.now')}<span className="vh"> : {meeting.title}</span></a>
      )}
    </li>
  )
}
