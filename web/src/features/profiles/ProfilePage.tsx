// One security profile: all its lines to change, what a change would do, and its versions.
import { useQuery } from '@tanstack/react-query'
import { agent, type Profile } from '@/api'
import { ErrorNote, Loading } from '@/features/frame'
import { AgentFrame, type AgentProps } from '@/features/meeting'
import { said, useLang, useT } from '@/i18n'
import { shortMoment } from '@/i18n/stamps'
import { Heading, useTitle } from '@/ui'
import { ProfileForm } from './ProfileForm'
import './profiles-admin.css'

interface Props extends AgentProps {
  /** Whose profile. */
  post: string
  /** "new": one that is not there yet. */
  profileID: string
}

export function ProfilePage({ post, profileID, ...frame }: Props) {
  const t = useT()
  const lang = useLang()
  const fresh = profileID === 'new'
  const from = fresh ? 'standard' : profileID
  const { data, error, refetch } = useQuery({ queryKey: ['profile', post, from], queryFn: () => agent.profile(post, from), staleTime: Infinity, gcTime: 0 })
  const title = fresh ? t('profiles.new') : said(data?.profile.name, lang).text
  useTitle(title)
  return (
    <AgentFrame {...frame}>
      <main id="main" className="meetings">
        <div className="stack-s">
          <p className="sm"><a href="/profiles">{t('profiles.title')}</a></p>
          <Heading><bdi>{title || t('profiles.title')}</bdi></Heading>
        </div>
        {error ? <ErrorNote error={error} retry={() => void refetch()} /> : null}
        {data ? <ProfileForm key={data.profile.version} post={post} profile={data.profile} fresh={fresh} go={frame.go} /> : error ? null : <Loading />}
        {data && !fresh ? <Versions all={data.versions} /> : null}
      </main>
    </AgentFrame>
  )
}

function Versions({ all }: { all: readonly Profile[] }) {
  const t = useT()
  const lang = useLang()
  return (
    <section className="stack-s" aria-labelledby="versions">
      <h2 id="versions">{t('profiles.versions')}</h2>
      <ol className="card versions">
        {all.map((one) => (
          <li key={one.version}>
            <b>{t('profiles.version', { n: one.version })}</b>
            <span className="muted">{one.changed_at ? t('profiles.changed', { date: shortMoment(new Date(one.changed_at), lang), name: one.changed_by ?? '' }) : t('profiles.shipped')}</span>
          </li>
        ))}
      </ol>
    </section>
  )
}
