// The security profiles of the post: what each means, which cannot be had yet. Administrators change them from here.
import { useQuery } from '@tanstack/react-query'
import { Ban, Plus } from 'lucide-react'
import { agent, type PostRole, type Profile } from '@/api'
import { ErrorNote, Loading } from '@/features/frame'
import { administeredBy, AgentFrame, Consequences, type AgentProps } from '@/features/meeting'
import { Said, said, useLang, useT } from '@/i18n'
import { listed } from '@/i18n/lists'
import { Heading, useTitle } from '@/ui'
import './profiles-admin.css'

export function ProfilesPage(frame: AgentProps) {
  const t = useT()
  useTitle(t('profiles.title'))
  const posts = administeredBy(frame.account)
  return (
    <AgentFrame {...frame}>
      <main id="main" className="meetings">
        <div className="stack-s">
          <p className="sm"><a href="/">{t('meetings.title')}</a></p>
          <Heading>{t('profiles.title')}</Heading>
          <p className="muted">{t('profiles.body')}</p>
        </div>
        {posts.map((post) => <OfPost key={post.id} post={post} named={posts.length > 1} />)}
      </main>
    </AgentFrame>
  )
}

function OfPost({ post, named }: { post: PostRole; named: boolean }) {
  const t = useT()
  const { data, error, refetch } = useQuery({ queryKey: ['profiles', post.id], queryFn: () => agent.profiles(post.id) })
  return (
    <section className="stack-s" aria-label={post.name}>
      <div className="head">
        {named ? <h2><bdi>{post.name}</bdi></h2> : <span />}
        <a className="btn secondary" href={`/profiles/${post.id}/new`}><Plus aria-hidden="true" />{t('profiles.new')}</a>
      </div>
      {error ? <ErrorNote error={error} retry={() => void refetch()} /> : null}
      {data ? <ul className="list">{data.map((profile) => <Row key={profile.id} post={post.id} profile={profile} />)}</ul> : error ? null : <Loading />}
    </section>
  )
}

function Row({ post, profile }: { post: string; profile: Profile }) {
  const t = useT()
  const lang = useLang()
  return (
    <li className="card profile-row">
      <div className="head">
        <h2><Said texts={profile.name} /></h2>
        <a className="btn secondary" href={`/profiles/${post}/${profile.id}`} aria-label={t('profiles.edit.name', { name: said(profile.name, lang).text })}>{t('profiles.edit')}</a>
      </div>
      <p><Said texts={profile.sentence} /></p>
      <Consequences rules={profile.rules} />
      {profile.needs.length > 0 ? <p className="note"><Ban aria-hidden="true" /><span>{t('profile.lacking', { needs: listed(profile.needs.map((need) => t(`profile.need.${need.replaceAll('-', '')}`)), lang) })}</span></p> : null}
    </li>
  )
}
