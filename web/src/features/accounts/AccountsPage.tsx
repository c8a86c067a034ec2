// Who may sign in on this server: administrators find somebody here, see where they are signed in, shut them out, let them
// in again, and add colleagues; each gets in by a link that works once.
import { useQuery } from '@tanstack/react-query'
import { Building2, ShieldCheck, UserPlus } from 'lucide-react'
import { useDeferredValue, useState } from 'react'
import { agent, type AdministeredAccount } from '@/api'
import { Pending } from '@/features/frame'
import { AgentFrame, type AgentProps } from '@/features/meeting'
import { useLang, useT } from '@/i18n'
import { shortMoment } from '@/i18n/stamps'
import { Button, Field, Heading, SelectField, useTitle } from '@/ui'
import { Dialog } from '@/ui/overlays'
import { AccountSheet } from './AccountSheet'
import { InviteDialog } from './InviteDialog'
import { search, states, type Wanted } from './search'
import './accounts.css'

/** More than one looks through: whoever searches finds. */
const shownAtOnce = 100

export function AccountsPage(frame: AgentProps) {
  const t = useT()
  useTitle(t('accounts.title'))
  const [adding, setAdding] = useState(false)
  const { data, error, refetch } = useQuery({ queryKey: ['accounts'], queryFn: agent.accounts })
  return (
    <AgentFrame {...frame}>
      <main id="main" className="meetings">
        {data ? (
          <>
            <div className="stack-s">
              <p className="sm"><a href="/">{t('meetings.title')}</a></p>
              <div className="head">
                <Heading>{t('accounts.title')}</Heading>
                <Button kind="primary" icon={<UserPlus aria-hidden="true" />} onClick={() => setAdding(true)}>{t('accounts.add')}</Button>
              </div>
              <p className="muted">{t('accounts.body')}</p>
            </div>
            <Accounts accounts={data} self={frame.account.id} />
          </>
        ) : <Pending title={t('accounts.title')} error={error} retry={() => void refetch()} />}
        <InviteDialog account={frame.account} open={adding} onClose={() => setAdding(false)} />
      </main>
    </AgentFrame>
  )
}

function Accounts({ accounts, self }: { accounts: readonly AdministeredAccount[]; self: string }) {
  const t = useT()
  const lang = useLang()
  const [wanted, setWanted] = useState<Wanted>({ text: '', state: '', role: '' })
  const [shown, setShown] = useState(shownAtOnce)
  const [open, setOpen] = useState('')
  const found = search(accounts, useDeferredValue(wanted), lang)
  const several = new Set(accounts.flatMap(({ posts }) => posts.map(({ id }) => id))).size > 1
  const change = (part: Partial<Wanted>) => {
    setWanted({ ...wanted, ...part })
    setShown(shownAtOnce)
  }
  const opened = accounts.find(({ id }) => id === open)
  return (
    <>
      <div className="account-search" role="search" aria-label={t('accounts.find')}>
        <Field label={t('accounts.search')} type="search" autoComplete="off" value={wanted.text} onChange={(event) => change({ text: event.target.value })} />
        <SelectField label={t('posts.role')} value={wanted.role} onChange={(event) => change({ role: event.target.value })}>
          <option value="">{t('accounts.all')}</option>
          {(['agent', 'administrator', 'auditor'] as const).map((role) => <option key={role} value={role}>{t(`posts.role.${role}`)}</option>)}
        </SelectField>
        <SelectField label={t('accounts.state')} value={wanted.state} onChange={(event) => change({ state: event.target.value })}>
          <option value="">{t('accounts.all')}</option>
          {states.map((state) => <option key={state} value={state}>{t(`accounts.state.${state}`)}</option>)}
        </SelectField>
      </div>
      <p className="sm muted" role="status">{t('accounts.count', { n: found.length })}</p>
      {found.length === 0 ? <p className="card empty">{t('accounts.none')}</p> : (
        <ul className="card accounts" aria-label={t('accounts.title')}>
          {found.slice(0, shown).map((account) => <Row key={account.id} account={account} several={several} self={account.id === self} onOpen={() => setOpen(account.id)} />)}
        </ul>
      )}
      {found.length > shown ? <Button onClick={() => setShown(shown + shownAtOnce)}>{t('accounts.more')}</Button> : null}
      <Dialog title={<bdi>{opened?.name}</bdi>} open={opened !== undefined} onClose={() => setOpen('')} closeLabel={t('common.close')}>
        {opened ? <AccountSheet account={opened} self={opened.id === self} /> : null}
      </Dialog>
    </>
  )
}

function Row({ account, several, self, onOpen }: { account: AdministeredAccount; several: boolean; self: boolean; onOpen: () => void }) {
  const t = useT()
  const lang = useLang()
  return (
    <li className={account.state}>
      <div className="who">
        <b><bdi>{account.name}</bdi></b>{self ? <span className="muted"> {t('people.you')}</span> : null}
        <small><bdi>{account.email}</bdi></small>
        <small>{account.seen_at ? t('accounts.seen', { date: shortMoment(new Date(account.seen_at), lang) }) : t('accounts.never')}</small>
      </div>
      <div className="marks">
        {account.state === 'active' ? null : <span className={`chip ${account.state === 'disabled' ? 'danger' : 'warn'}`}>{t(`accounts.state.${account.state}`)}</span>}
        {account.posts.map(({ id, name, role }) => <span key={id} className="chip"><Building2 aria-hidden="true" /><bdi>{several ? `${name} · ` : ''}{t(`posts.role.${role}`)}</bdi></span>)}
        {account.posts.length === 0 ? <span className="chip"><Building2 aria-hidden="true" />{t('accounts.nopost')}</span> : null}
        {account.admin ? <span className="chip"><ShieldCheck aria-hidden="true" />{t('accounts.admin')}</span> : null}
      </div>
      <Button aria-label={t('accounts.manage.of', { name: account.name })} onClick={onOpen}>{t('accounts.manage')}</Button>
    </li>
  )
}
