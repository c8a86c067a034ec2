import { useQuery } from '@tanstack/react-query'
import { Bell, Building2, Infinity as Permanent, Plus, Users, Video } from 'lucide-react'
import { useEffect, useEffectEvent, useState } from 'react'
import { agent, type Meeting, type PostRole } from '@/api'
import { intents } from '@/call'
import { ErrorNote, Loading } from '@/features/frame'
import { useLang, useT } from '@/i18n'
import { shortMoment } from '@/i18n/stamps'
import { Heading, SelectField, useNow, useStore, useTitle } from '@/ui'
import { AgentFrame, type AgentProps } from './AgentFrame'
import { grouped, unheld } from './groups'
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
  const acts = actsAt(props.account).length > 0
  const { keys } = useStore(intents)
  useNewKey(acts && keys, props.go)
  const chosen = data?.filter((meeting) => post === '' || meeting.post === post)
  return (
    <AgentFrame {...props}>
      <main id="main" className="meetings">
        <div className="head">
          <Heading>{t('meetings.title')}</Heading>
          {acts ? <a className="btn primary" href="/meetings/new" aria-keyshortcuts="N"><Plus aria-hidden="true" />{t('meetings.new')}</a> : null}
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

/** N makes a new meeting, unless a field, a menu or a dialog has the focus, or the reader has switched single keys off. */
function useNewKey(on: boolean, go: (path: string) => void): void {
  const act = useEffectEvent(() => go('/meetings/new'))
  useEffect(() => {
    if (!on) return
    const down = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'n' || event.repeat || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
      if (event.target instanceof Element && event.target.closest('input, select, textarea, [contenteditable], [role="dialog"], [role="alertdialog"], [role="menu"]')) return
      event.preventDefault()
      act()
    }
    document.addEventListener('keydown', down)
    return () => document.removeEventListener('keydown', down)
  }, [on])
}

interface ListProps {
  meetings: readonly Meeting[]
  /** Named beside each meeting; none where there is only one. */
  posts: readonly PostRole[]
}

function Lists({ meetings, posts }: ListProps) {
  const t = useT()
  const now = new Date(useNow(30_000))
  const groups = grouped(meetings, now)
  return (
    <>
      {groups.some(([name]) => name !== 'past') ? null : <p className="card empty">{t('meetings.empty')}</p>}
      {groups.map(([name, of]) => <Group key={name} title={t(`meetings.group.${name}`)} meetings={of} posts={posts} now={now} />)}
    </>
  )
}

function Group({ title, meetings, posts, now }: ListProps & { title: string; now: Date }) {
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <ul className="list">
        {meetings.map((meeting) => <Row key={meeting.id} meeting={meeting} post={posts.find(({ id }) => id === meeting.post)} now={now} />)}
      </ul>
    </section>
  )
}

function Row({ meeting, post, now }: { meeting: Meeting; post: PostRole | undefined; now: Date }) {
  const t = useT()
  const lang = useLang()
  const when = meeting.ended_at ?? meeting.starts_at ?? meeting.created_at
  const word = meeting.ended_at ? 'meetings.when.ended' : meeting.starts_at ? 'meetings.when.starts' : 'meetings.when.created'
  return (
    <li className="card meeting">
      <div className="what">
        <h3><a href={`/meetings/${meeting.id}`}><bdi>{meeting.title}</bdi></a></h3>
        <p className="sm muted">{meeting.permanent && !meeting.ended_at ? t('meetings.when.permanent') : t(word, { date: shortMoment(new Date(when), lang) })}{unheld(meeting, now) ? ` ${t('meetings.unheld')}` : null}</p>
        {meeting.permanent && !meeting.ended_at ? null : <There at={when} post={meeting.post} />}
      </div>
      <div className="marks">
        {post ? <span className="chip"><Building2 aria-hidden="true" /><span className="vh">{t('posts.post')} : </span><bdi>{post.name}</bdi></span> : null}
        {meeting.permanent ? <span className="chip"><Permanent aria-hidden="true" />{t('meetings.permanent')}</span> : null}
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
