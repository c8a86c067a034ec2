// Where the account is signed in; whoever is signed out leaves calls at once.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { LogOut } from 'lucide-react'
import { useState } from 'react'
import { agent, isProblem, type OwnSession } from '@/api'
import { ErrorNote, Loading } from '@/features/frame'
import { useLang, useT } from '@/i18n'
import { shortMoment } from '@/i18n/dates'
import { announce, Button, recoverFocus } from '@/ui'
import { Confirm } from '@/ui/overlays'

export function OwnSessions() {
  const t = useT()
  const queries = useQueryClient()
  const [asking, setAsking] = useState(false)
  const { data, error, refetch } = useQuery({ queryKey: ['own-sessions'], queryFn: agent.ownSessions })
  const end = useMutation({
    mutationFn: async (sessions: readonly OwnSession[]) => {
      // One that has ended meanwhile is what was asked for.
      for (const { id } of sessions) await agent.endSession(id).catch((problem: unknown) => { if (!isProblem(problem, 'not-found')) throw problem })
      return sessions.length
    },
    onSuccess: (n) => announce(t('sessions.ended', { n })),
    onSettled: async () => {
      await queries.invalidateQueries({ queryKey: ['own-sessions'] })
      recoverFocus()
    },
  })
  const others = data?.filter(({ current }) => !current) ?? []
  return (
    <section className="card" aria-labelledby="sessions-title">
      <h2 id="sessions-title">{t('sessions.title')}</h2>
      <p className="muted">{t('sessions.says')}</p>
      {error ? <ErrorNote error={error} retry={() => void refetch()} /> : null}
      {end.error ? <ErrorNote error={end.error} /> : null}
      {data ? <ul className="own-sessions">{data.map((one) => <Line key={one.id} one={one} onEnd={() => end.mutate([one])} busy={end.isPending} />)}</ul> : error ? null : <Loading />}
      {others.length > 1 ? <Button icon={<LogOut aria-hidden="true" className="flip" />} onClick={() => setAsking(true)}>{t('sessions.others')}</Button> : null}
      <Confirm open={asking} onClose={() => setAsking(false)} cancel={t('common.cancel')} act={t('sessions.others')} title={t('sessions.others.ask')} onAct={async () => { await end.mutateAsync(others).catch(() => undefined) }}>
        <p>{t('sessions.others.effect')}</p>
      </Confirm>
    </section>
  )
}

function Line({ one, onEnd, busy }: { one: OwnSession; onEnd: () => void; busy: boolean }) {
  const t = useT()
  const lang = useLang()
  const since = shortMoment(new Date(one.created_at), lang)
  return (
    <li>
      <div className="what">
        <b>{t(one.current ? 'sessions.this' : 'sessions.other')}</b>
        <p className="sm muted">{[t('sessions.since', { date: since }), ...(one.by_code ? [t('sessions.code')] : []), t('sessions.used', { date: shortMoment(new Date(one.used_at), lang) })].join(', ')}</p>
      </div>
      {one.current ? null : <Button busy={busy} onClick={onEnd}>{t('sessions.end')}<span className="vh"> {t('sessions.end.which', { date: since })}</span></Button>}
    </li>
  )
}
