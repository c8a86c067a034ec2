// The security profiles of the post: what each means, which cannot be had yet. Administrators change them from here.
import { useQuery } from '@tanstack/react-query'
import { Ban, Plus } from 'lucide-react'
import { agent, type Profile } from '@/api'
import { ErrorNote, Loading } from '@/features/frame'
import { AgentFrame, Consequences, type AgentProps } from '@/features/meeting'
import { useLang, useT } from '@/i18n'
import { Heading, useTitle } from '@/ui'
import './profiles-admin.css'

export function ProfilesPage(frame: AgentProps) {
  const t = useT()
  useTitle(t('profiles.title'))
  const { data, error, refetch } = useQuery({ queryKey: ['profiles'], queryFn: agent.profiles })
  return (
    <AgentFrame {...frame}>
      <main id="main" className="meetings">
        <div className="stack-s">
          <p className="sm"><a href="/">{t('meetings.title')}</a></p>
          <div className="head">
            <Heading>{t('profiles.title')}</Heading>
            <a className="btn" href="/profiles/new"><Plus aria-hidden="true" />{t('profiles.new')}</a>
          </div>
          <p className="muted">{t('profiles.body')}</p>
        </div>
        {error ? <ErrorNote error={error} retry={() => void refetch()} /> : null}
        {data ? <ul className="list">{data.map((profile) => <Row key={profile.id} profile={profile} />)}</ul> : error ? null : <Loading />}
      </main>
    </AgentFrame>
  )
}

function Row({ profile }: { profile: Profile }) {
  const t = useT()
  const lang = useLang()
  return (
    <li className="card profile-row">
      <div className="head">
        <h2><bdi>{profile.name[lang]}</bdi></h2>
        <a className="btn" href={`/profiles/${profile.id}`} aria-label={t('profiles.edit.name', { name: profile.name[lang] })}>{t('profiles.edit')}</a>
      </div>
      <p>{profile.sentence[lang]}</p>
      <Consequences rules={profile.rules} />
      {profile.needs.length > 0 ? <p className="note"><Ban aria-hidden="true" /><span>{t('profile.lacking', { needs: profile.needs.map((need) => t(`profile.need.${need.replaceAll('-', '')}`)).join(', ') })}</span></p> : null}
    </li>
  )
}
