// Where the account is signed in; whoever is signed out leaves calls at once.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { LogOut } from 'lucide-react'
import { useState } from 'react'
import { agent, isProblem, type OwnSession } from '@/api'
import { ErrorNote, Loading } from '@/features/frame'
import { SessionList } from '@/features/sessions'
import { useT } from '@/i18n'
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
      {data ? <SessionList sessions={data} onEnd={(one) => end.mutate([one])} busy={end.isPending} /> : error ? null : <Loading />}
      {others.length > 1 ? <Button icon={<LogOut aria-hidden="true" className="flip" />} onClick={() => setAsking(true)}>{t('sessions.others')}</Button> : null}
      <Confirm open={asking} onClose={() => setAsking(false)} cancel={t('common.cancel')} act={t('sessions.others')} title={t('sessions.others.ask')} onAct={async () => { await end.mutateAsync(others).catch(() => undefined) }}>
        <p>{t('sessions.others.effect')}</p>
      </Confirm>
    </section>
  )
}
