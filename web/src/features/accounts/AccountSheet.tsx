// One account: where it is signed in, and what an administrator may do to it.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { KeyRound, LogOut, UserCheck, UserX } from 'lucide-react'
import { useState } from 'react'
import { agent, isProblem, type AdministeredAccount } from '@/api'
import { ErrorNote, Loading } from '@/features/frame'
import { LinkToCopy } from '@/features/meeting'
import { SessionList } from '@/features/sessions'
import { useLang, useT, Words } from '@/i18n'
import { shortMoment } from '@/i18n/stamps'
import { announce, Button } from '@/ui'
import { Confirm } from '@/ui/overlays'
import { firstVisit } from './invitation'

export function AccountSheet({ account, self }: { account: AdministeredAccount; self: boolean }) {
  const t = useT()
  const lang = useLang()
  const date = (text: string) => shortMoment(new Date(text), lang)
  return (
    <div className="stack account-sheet">
      <dl className="pairs">
        <div><dt>{t('signin.email')}</dt><dd><bdi>{account.email}</bdi></dd></div>
        <div><dt>{t('accounts.state')}</dt><dd>{account.disabled_at ? t('accounts.disabled.since', { date: date(account.disabled_at) }) : t(`accounts.state.${account.state}`)}</dd></div>
        <div><dt>{t('accounts.kind')}</dt><dd>{t('accounts.kind.local')}</dd></div>
        <div><dt>{t('accounts.created')}</dt><dd>{date(account.created_at)}</dd></div>
      </dl>
      {self ? <p className="note"><span>{t('accounts.own')} <a href="/account">{t('own.title')}</a></span></p> : (
        <>
          <Sessions account={account} />
          <Acts account={account} />
        </>
      )}
    </div>
  )
}

function Sessions({ account }: { account: AdministeredAccount }) {
  const t = useT()
  const queries = useQueryClient()
  const key = ['account-sessions', account.id]
  const { data, error, refetch } = useQuery({ queryKey: key, queryFn: () => agent.accountSessions(account.id) })
  const end = useMutation({
    // One that has ended meanwhile is what was asked for.
    mutationFn: (session?: string) => (session ? agent.endAccountSession(account.id, session) : agent.endAccountSessions(account.id)).catch((problem: unknown) => { if (!isProblem(problem, 'not-found')) throw problem }),
    onSuccess: (_, session) => announce(t('sessions.ended', { n: session ? 1 : (data?.length ?? 0) })),
    onSettled: () => queries.invalidateQueries({ queryKey: key }),
  })
  if (error) return <Refused error={error} retry={() => void refetch()} />
  return (
    <section aria-labelledby="account-sessions">
      <div className="head">
        <h3 id="account-sessions">{t('accounts.sessions')}</h3>
        {data && data.length > 1 ? <Button icon={<LogOut aria-hidden="true" className="flip" />} busy={end.isPending} onClick={() => end.mutate(undefined)}>{t('accounts.sessions.end')}</Button> : null}
      </div>
      {end.error ? <Refused error={end.error} /> : null}
      {!data ? <Loading /> : data.length === 0 ? <p className="muted">{t('accounts.sessions.none')}</p> : <SessionList sessions={data} busy={end.isPending} onEnd={({ id }) => end.mutate(id)} />}
    </section>
  )
}

function Acts({ account }: { account: AdministeredAccount }) {
  const t = useT()
  const queries = useQueryClient()
  const [asking, setAsking] = useState(false)
  const again = () => Promise.all([queries.invalidateQueries({ queryKey: ['accounts'] }), queries.invalidateQueries({ queryKey: ['account-sessions', account.id] })])
  const shut = useMutation({
    mutationFn: () => (account.state === 'disabled' ? agent.enableAccount(account.id) : agent.disableAccount(account.id)),
    onSuccess: ({ state, name }) => announce(t(state === 'disabled' ? 'accounts.disabled.done' : 'accounts.enabled.done', { name })),
    onSettled: again,
  })
  const reset = useMutation({ mutationFn: () => agent.resetAccount(account.id) })
  const disabled = account.state === 'disabled'
  const failed = shut.error ?? reset.error
  return (
    <section aria-labelledby="account-acts" className="stack-s">
      <h3 id="account-acts">{t('accounts.acts')}</h3>
      {failed ? <Refused error={failed} /> : null}
      {reset.data ? (
        <div className="stack">
          <p><Words id="accounts.reset.says" values={{ name: <bdi>{account.name}</bdi> }} /></p>
          <LinkToCopy url={firstVisit(reset.data.invite_url)} hint={t('accounts.ready.hint')} onDone={reset.reset} />
        </div>
      ) : (
        <>
          {disabled ? <p className="muted">{t('accounts.disabled.means')}</p> : null}
          <div className="row">
            {disabled ? null : <Button icon={<KeyRound aria-hidden="true" />} busy={reset.isPending} onClick={() => reset.mutate()}>{t('accounts.reset')}</Button>}
            {disabled
              ? <Button kind="primary" icon={<UserCheck aria-hidden="true" />} busy={shut.isPending} onClick={() => shut.mutate()}>{t('accounts.enable')}</Button>
              : <Button kind="danger" icon={<UserX aria-hidden="true" />} busy={shut.isPending} onClick={() => setAsking(true)}>{t('accounts.disable')}</Button>}
          </div>
          {disabled ? null : <p className="sm muted">{t('accounts.reset.means')}</p>}
        </>
      )}
      <Confirm
        title={<Words id="accounts.disable.ask" values={{ name: <bdi>{account.name}</bdi> }} />} open={asking} onClose={() => setAsking(false)}
        cancel={t('common.cancel')} act={t('accounts.disable')} onAct={() => shut.mutateAsync().then(() => undefined)}
      >
        <p>{t('accounts.disable.body')}</p>
      </Confirm>
    </section>
  )
}

/** Why an administrator may not. */
function Refused({ error, retry }: { error: unknown; retry?: () => void }) {
  const t = useT()
  const why = isProblem(error, 'last-administrator') ? 'accounts.last' : isProblem(error, 'other-posts') ? 'accounts.elsewhere' : isProblem(error, 'forbidden') ? 'accounts.adminonly' : ''
  if (why) return <p className="note warn" role="alert">{t(why)}</p>
  return <ErrorNote error={error} {...(retry ? { retry } : {})} />
}
