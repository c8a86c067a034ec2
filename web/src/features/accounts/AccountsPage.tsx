// Who may sign in on this server. Administrators add colleagues here; each gets in by a link that works once.
import { useQuery } from '@tanstack/react-query'
import { Building2, ShieldCheck, UserPlus } from 'lucide-react'
import { useState } from 'react'
import { agent, type Account } from '@/api'
import { ErrorNote, Loading } from '@/features/frame'
import { AgentFrame, type AgentProps } from '@/features/meeting'
import { useLang, useT } from '@/i18n'
import { Button, Heading, useTitle } from '@/ui'
import { InviteDialog } from './InviteDialog'
import './accounts.css'

export function AccountsPage(frame: AgentProps) {
  const t = useT()
  useTitle(t('accounts.title'))
  const [adding, setAdding] = useState(false)
  const { data, error, refetch } = useQuery({ queryKey: ['accounts'], queryFn: agent.accounts })
  return (
    <AgentFrame {...frame}>
      <main id="main" className="meetings">
        <div className="stack-s">
          <p className="sm"><a href="/">{t('meetings.title')}</a></p>
          <div className="head">
            <Heading>{t('accounts.title')}</Heading>
            <Button kind="primary" icon={<UserPlus aria-hidden="true" />} onClick={() => setAdding(true)}>{t('accounts.add')}</Button>
          </div>
          <p className="muted">{t('accounts.body')}</p>
        </div>
        {error ? <ErrorNote error={error} retry={() => void refetch()} /> : null}
        {data ? <List accounts={data} self={frame.account.id} /> : error ? null : <Loading />}
        <InviteDialog account={frame.account} open={adding} onClose={() => setAdding(false)} />
      </main>
    </AgentFrame>
  )
}

function List({ accounts, self }: { accounts: readonly Account[]; self: string }) {
  const t = useT()
  const lang = useLang()
  const several = new Set(accounts.flatMap(({ posts }) => posts.map(({ id }) => id))).size > 1
  const sorted = [...accounts].sort((a, b) => a.name.localeCompare(b.name, lang))
  return (
    <ul className="card accounts" aria-label={t('accounts.title')}>
      {sorted.map((account) => (
        <li key={account.id}>
          <div>
            <b><bdi>{account.name}</bdi></b>{account.id === self ? <span className="muted"> {t('people.you')}</span> : null}
            <small><bdi>{account.email}</bdi></small>
          </div>
          <div className="marks">
            {account.posts.map(({ id, name, role }) => <span key={id} className="chip"><Building2 aria-hidden="true" /><bdi>{several ? `${name} · ` : ''}{t(`posts.role.${role}`)}</bdi></span>)}
            {account.admin ? <span className="chip"><ShieldCheck aria-hidden="true" />{t('accounts.admin')}</span> : null}
          </div>
        </li>
      ))}
    </ul>
  )
}
