import { useQuery } from '@tanstack/react-query'
import { Bell, Building2, CalendarDays, ShieldCheck, UserPlus, UserRound, Users, Video } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { agent, isProblem, type Meeting, type Profile } from '@/api'
import { moderates } from '@/call'
import { ErrorNote, Loading, Pending } from '@/features/frame'
import { Said, useLang, useT } from '@/i18n'
import { day, hour, moment } from '@/i18n/dates'
import { shortMoment } from '@/i18n/stamps'
import { loadRecordingWords } from '@/i18n/recordings'
import { Button, Heading, patiently, useTitle } from '@/ui'
import { AgentFrame, type AgentProps } from './AgentFrame'
import { Attended } from './Attended'
import { CalendarButton } from './CalendarButton'
import { EditMeeting } from './EditDialog'
import { ImportDialog } from './ImportDialog'
import { KeptChat } from './KeptChat'
import { LinkDialog } from './LinkDialog'
import { LinksMenu } from './LinksMenu'
import { LinkTable } from './LinkTable'
import { Members } from './Members'
import { ProfileChange } from './ProfileChange'
import { There } from './There'
import { useNoLongerActs } from './useNoLongerActs'
import { useProfiles } from './useProfiles'
import './meeting.css'

const Recordings = lazy(() => patiently(() => Promise.all([import('@/features/recordings'), loadRecordingWords()])).then(([module]) => ({ default: module.Recordings })))

interface Props extends AgentProps {
  meetingID: string
}

const refreshEvery = 10_000

export function MeetingPage({ meetingID, ...frame }: Props) {
  const t = useT()
  const { data, error, refetch } = useQuery({ queryKey: ['meeting', meetingID], queryFn: () => agent.meeting(meetingID), refetchInterval: refreshEvery })
  const noLongerActs = useNoLongerActs(data?.post, isProblem(error, 'not-found'))
  useTitle(noLongerActs ? '' : data?.title ?? '')
  return (
    <AgentFrame {...frame}>
      <main id="main" className="meetings">
        {noLongerActs ? <NoLongerActs /> : data ? <About meeting={data} post={frame.account.posts.length > 1 ? frame.account.posts.find(({ id }) => id === data.post)?.name : undefined} /> : <Pending title={t('frame.meeting')} error={error} {...(isProblem(error, 'not-found') ? {} : { retry: () => void refetch() })} />}
      </main>
    </AgentFrame>
  )
}

/** The page was open when its person's part at the post ended. */
function NoLongerActs() {
  const t = useT()
  return (
    <div className="stack" role="alert">
      <Heading>{t('end.membership')}</Heading>
      <p>{t('end.membership.more')}</p>
      <div className="row"><a className="btn primary" href="/">{t('meetings.title')}</a></div>
    </div>
  )
}

function About({ meeting, post }: { meeting: Meeting; post: string | undefined }) {
  const t = useT()
  const ended = meeting.state === 'ended'
  const profile = useProfiles(meeting.post).data?.find((one) => one.id === meeting.profile)
  const isHost = moderates(meeting.role)
  return (
    <>
      <div className="stack-s">
        <p className="sm"><a href="/">{t('meetings.title')}</a></p>
        <div className="head">
          <Heading><bdi>{meeting.title}</bdi></Heading>
          {ended ? null : <a className="btn primary" href={`/m/${meeting.id}`}><Video aria-hidden="true" />{t(meeting.state === 'open' || !isHost ? 'meeting.join' : 'meeting.open')}</a>}
        </div>
        <Facts meeting={meeting} profile={profile} post={post} />
        {ended ? null : <div className="row"><CalendarButton meeting={meeting} />{isHost ? <EditMeeting meeting={meeting} /> : null}</div>}
        {profile ? <p className="muted"><Said texts={profile.sentence} /> {ended ? null : <ProfileChange meeting={meeting} />}</p> : null}
        {profile?.rules.keep_chat ? <p className="sm muted">{t('kept.rule')}</p> : null}
      </div>
      {isHost ? <Members meeting={meeting} /> : null}
      {isHost ? <Links meeting={meeting} /> : null}
      {isHost ? <Attended meeting={meeting} /> : null}
      {isHost ? <Suspense><Recordings meeting={meeting} /></Suspense> : null}
      {isHost ? <KeptChat meeting={meeting} keeps={profile?.rules.keep_chat ?? false} /> : null}
    </>
  )
}

function Facts({ meeting, profile, post }: { meeting: Meeting; profile: Profile | undefined; post: string | undefined }) {
  const t = useT()
  const lang = useLang()
  const { starts_at: starts, ends_at: ends } = meeting
  const when = meeting.ended_at
    ? t('meetings.when.ended', { date: shortMoment(new Date(meeting.ended_at), lang) })
    : starts && ends
      ? t('entry.when', { day: day(new Date(starts), lang), from: hour(new Date(starts), lang), to: hour(new Date(ends), lang) })
      : starts ? moment(new Date(starts), lang) : t(meeting.permanent ? 'meetings.permanent' : 'meeting.nodate')
  return (
    <div className="row">
      {post ? <span className="chip"><Building2 aria-hidden="true" /><span className="vh">{t('posts.post')} : </span><bdi>{post}</bdi></span> : null}
      <span className="chip"><CalendarDays aria-hidden="true" />{when}</span>
      {meeting.ended_at ?? starts ? <There at={meeting.ended_at ?? starts ?? ''} post={meeting.post} /> : null}
      {profile ? <span className="chip"><ShieldCheck aria-hidden="true" /><Said texts={profile.name} /></span> : null}
      {meeting.role === 'host' ? null : <span className="chip"><UserRound aria-hidden="true" />{t(`role.you.${meeting.role}`)}</span>}
      {meeting.waiting > 0 ? <span className="chip warn"><Bell aria-hidden="true" />{t('meetings.waiting', { n: meeting.waiting })}</span> : null}
      {meeting.present > 0 ? <span className="chip"><Users aria-hidden="true" />{t('meetings.present', { n: meeting.present })}</span> : null}
    </div>
  )
}

function Links({ meeting }: { meeting: Meeting }) {
  const t = useT()
  const [open, setOpen] = useState<'new' | 'import' | null>(null)
  const { data, error, refetch } = useQuery({ queryKey: ['links', meeting.id], queryFn: () => agent.links(meeting.id), refetchInterval: refreshEvery })
  const ended = meeting.state === 'ended'
  return (
    <section className="card links" aria-labelledby="links-title">
      <div className="head">
        <h2 id="links-title">{t('links.title')}</h2>
        <div className="row">
          {ended ? null : <Button icon={<UserPlus aria-hidden="true" />} onClick={() => setOpen('new')}>{t('links.new')}</Button>}
          <LinksMenu meeting={meeting} links={data ?? []} onImport={() => setOpen('import')} />
        </div>
      </div>
      {error ? <ErrorNote error={error} retry={() => void refetch()} /> : null}
      {data ? data.length > 0 ? <LinkTable meetingID={meeting.id} links={data} ended={ended} /> : <p className="muted">{t('links.empty')}</p> : error ? null : <Loading />}
      <LinkDialog meeting={meeting} open={open === 'new'} onClose={() => setOpen(null)} />
      <ImportDialog meeting={meeting} open={open === 'import'} onClose={() => setOpen(null)} />
    </section>
  )
}
