// What is one's own: the language, the password, and where the account is signed in.
import { KeyRound } from 'lucide-react'
import { AgentFrame, type AgentProps } from '@/features/meeting'
import { chooseLang, languages, useLang, useT, type Lang } from '@/i18n'
import { Heading, SelectField, useTitle } from '@/ui'
import { OwnSessions } from './OwnSessions'
import './own.css'

export function OwnPage(props: AgentProps) {
  const t = useT()
  const lang = useLang()
  useTitle(t('own.title'))
  return (
    <AgentFrame {...props}>
      <main id="main" className="meetings own">
        <div className="stack-s">
          <p className="sm"><a href="/">{t('meetings.title')}</a></p>
          <Heading>{t('own.title')}</Heading>
          <p className="muted"><bdi>{props.account.name}</bdi> · <bdi>{props.account.email}</bdi></p>
        </div>
        <section className="card" aria-label={t('own.lang')}>
          <SelectField label={t('own.lang')} className="post-filter" value={lang} onChange={(event) => void chooseLang(event.target.value as Lang)}>
            {Object.entries(languages).map(([tag, name]) => <option key={tag} value={tag} lang={tag}>{name}</option>)}
          </SelectField>
        </section>
        <section className="card" aria-labelledby="own-password">
          <h2 id="own-password">{t('own.password')}</h2>
          <div className="row"><a className="btn secondary" href="/password"><KeyRound aria-hidden="true" />{t('password.change')}</a></div>
        </section>
        <OwnSessions />
      </main>
    </AgentFrame>
  )
}
