import { useQuery } from '@tanstack/react-query'
import { Bell, Building2, Plus, Users, Video } from 'lucide-react'
import { useState } from 'react'
import { agent, type Meeting, type PostRole } from '@/api'
import { ErrorNote, Loading } from '@/features/frame'
import { useLang, useT } from '@/i18n'
import { shortMoment } from '@/i18n/dates'
import { Heading, SelectField, useTitle } from '@/ui'
import { AgentFrame, type AgentProps } from './AgentFrame'
import { actsAt } from './posts'
import { There } from './There'
import './meeting.css'

const refreshEvery = 10_000

export function MeetingsPage(props: AgentProps) {
  const t = useT()
  const { data, error, refetch } = useQuery({ queryKey: ['meetings'], queryFn: agent.meetings, refetchInterval: refreshEvery })
  useTitle(t('meetings.title'))
  const several = props.account.posts.length > 1
  const [post, setPost] = useState('')
  const chosen = data?.filter((meeting) => post === '' || meeting.post === post)
  return (
    <AgentFrame {...props}>
      <main id="main" className="meetings">
        <div className="head">
          <Heading>{t('meetings.title')}</Heading>
          {actsAt(props.account).length > 0 ? <a className="btn primary" href="/meetings/new"><Plus aria-hidden="true" />{t('meetings.new')}</a> : null}
        </div>
        {several ? (
          <SelectField label={t('posts.filter')} className="post-filter" value={post} onChange={(event) => setPost(event.target.value)}>
            <option value="">{t('posts.all')}</option>
            {actsAt(props.account).map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
          </SelectField>
        ) : null}
        {error ? <ErrorNote error={error} retry={() => void refetch()} /> : null}
        {chosen ? <Lists meetings={chosen} posts={several ? props.account.posts : []} /> : error ? null : <Loading />}
      </main>
    </AgentFrame>
  )
}

interface ListProps {
  meetings: readonly Meeting[]
  /** Named beside each meeting; none where there is only one. */
  posts: readonly PostRole[]
}

function Lists({ meetings, posts }: ListProps) {
  const t = useT()
  const now = meetings.filter((meeting) => meeting.state === 'open')
  const later = meetings.filter((meeting) => meeting.state === 'scheduled')
  const past = meetings.filter((meeting) => meeting.state === 'ended')
  if (now.length + later.length === 0) {
    return (
      <>
        <p className="card empty">{t('meetings.empty')}</p>
        <Group title={t('meetings.past')} meetings={past} posts={posts} />
      </>
    )
  }
  return (
    <>
      <Group title={t('meetings.group.now')} meetings={now} posts={posts} />
      <Group title={t('meetings.group.later')} meetings={later} posts={posts} />
      <Group title={t('meetings.past')} meetings={past} posts={posts} />
    </>
  )
}

function Group({ title, meetings, posts }: ListProps & { title: string }) {
  if (meetings.length === 0) return null
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <ul className="list">
        {meetings.map((meeting) => <Row key={meeting.id} meeting={meeting} post={posts.find(({ id }) => id === meeting.post)} />)}
      </ul>
    </section>
  )
}

function Row({ meeting, post }: { meeting: Meeting; post: PostRole | undefined }) {
  const t = useT()
  const lang = useLang()
  const when = meeting.ended_at ?? meeting.starts_at ?? meeting.created_at
  const word = meeting.ended_at ? 'meetings.when.ended' : meeting.starts_at ? 'meetings.when.starts' : 'meetings.when.created'
  return (
    <li className="card meeting">
      <div className="what">
        <h3><a href={`/meetings/${meeting.id}`}><bdi>{meeting.title}</bdi></a></h3>
        <p className="sm muted">{t(word, { date: shortMoment(new Date(when), lang) })}</p>
        <There at={when} post={meeting.post} />
      </div>
      <div className="marks">
        {post ? <span className="chip"><Building2 aria-hidden="true" /><span className="vh">{t('posts.post')} : </span><bdi>{post.name}</bdi></span> : null}
        {meeting.role === 'host' ? null : <span className="chip">{t(`role.${meeting.role}`)}</span>}
        {meeting.waiting > 0 ? <span className="chip warn"><Bell aria-hidden="true" />{t('meetings.waiting', { n: meeting.waiting })}</span> : null}
        {meeting.present > 0 ? <span className="chip"><Users aria-hidden="true" />{t('meetings.present', { n: meeting.present })}</span> : null}
      </div>
      {meeting.state === 'ended' ? null : (
        <a className="btn secondary" href={`/m/${meeting.id}`}><Video aria-hidden="true" />{t(meeting.state === 'open' || meeting.role === 'participant' || meeting.role === 'observer' ? 'meetings.join' : 'meetings.now')}<span className="vh"> : {meeting.title}</span></a>
      )}
    </li>
  )
}
