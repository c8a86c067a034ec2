import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type SubmitEvent } from 'react'
import { agent, isProblem, type Orphan, type Post } from '@/api'
import { ErrorNote } from '@/features/frame'
import { useLang, useT, Words } from '@/i18n'
import { moment } from '@/i18n/dates'
import { announce, Button, Field, textOf } from '@/ui'
import { Confirm, Dialog } from '@/ui/overlays'

/** Meetings whose host does not act for the post any more: they get another one, or end. Mostly there are none, and nothing is shown. */
export function Orphans({ post }: { post: Post }) {
  const t = useT()
  const lang = useLang()
  const queries = useQueryClient()
  const key = ['orphans', post.id]
  const { data, error, refetch } = useQuery({ queryKey: key, queryFn: () => agent.orphans(post.id) })
  const [naming, setNaming] = useState<Orphan | null>(null)
  const [ending, setEnding] = useState<Orphan | null>(null)
  const again = () => queries.invalidateQueries({ queryKey: key })
  const end = useMutation({
    mutationFn: (meeting: Orphan) => agent.endOrphan(post.id, meeting.id),
    onSuccess: (meeting) => announce(t('orphans.ended', { title: meeting.title })),
    onSettled: again,
  })
  if (error) return <ErrorNote error={error} retry={() => void refetch()} />
  if (!data || data.length === 0) return null
  return (
    <section aria-labelledby="orphans" className="stack-s">
      <h2 id="orphans">{t('orphans.title')}</h2>
      <p className="muted">{t('orphans.body')}</p>
      {end.error ? <ErrorNote error={end.error} /> : null}
      <ul className="card people-of-post" aria-labelledby="orphans">
        {data.map((meeting) => (
          <li key={meeting.id}>
            <div>
              <b><bdi>{meeting.title}</bdi></b>
              <small>
                <Words id="orphans.host" values={{ name: <bdi>{meeting.host.name}</bdi> }} />
                {meeting.starts_at ? <> · {moment(new Date(meeting.starts_at), lang)}</> : null}
                {meeting.state === 'open' ? <> · {t('orphans.open')}</> : null}
              </small>
            </div>
            <Button aria-label={t('orphans.name.of', { title: meeting.title })} onClick={() => setNaming(meeting)}>{t('orphans.name')}</Button>
            <Button kind="quiet" aria-label={t('orphans.end.of', { title: meeting.title })} onClick={() => setEnding(meeting)}>{t('orphans.end')}</Button>
          </li>
        ))}
      </ul>
      <Dialog title={t('orphans.name')} open={naming !== null} onClose={() => setNaming(null)} closeLabel={t('common.close')}>
        {naming ? <NameHost post={post} meeting={naming} onDone={() => { setNaming(null); void again() }} /> : null}
      </Dialog>
      <Confirm
        title={<Words id="orphans.end.title" values={{ title: <bdi>{ending?.title ?? ''}</bdi> }} />} open={ending !== null} onClose={() => setEnding(null)}
        cancel={t('common.cancel')} act={t('orphans.end.do')} onAct={() => ending ? end.mutateAsync(ending).then(() => undefined) : undefined}
      >
        <p>{t('orphans.end.body')}</p>
      </Confirm>
    </section>
  )
}

function NameHost({ post, meeting, onDone }: { post: Post; meeting: Orphan; onDone: () => void }) {
  const t = useT()
  const name = useMutation({
    mutationFn: (email: string) => agent.appointHost(post.id, meeting.id, email),
    onSuccess: ({ host, title }) => {
      announce(t('orphans.named', { name: host.name, title }))
      onDone()
    },
  })
  const unknown = isProblem(name.error, 'invalid') && 'email' in name.error.fields
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const email = textOf(new FormData(event.currentTarget), 'email').trim()
    if (!name.isPending) name.mutate(email)
  }
  return (
    <form className="stack" onSubmit={submit}>
      <p><Words id="orphans.name.body" values={{ title: <bdi>{meeting.title}</bdi> }} /></p>
      <Field label={t('signin.email')} name="email" type="email" required maxLength={254} autoComplete="off" error={unknown ? t('orphans.name.unknown') : undefined} />
      {name.error && !unknown ? <ErrorNote error={name.error} /> : null}
      <Button kind="primary" big type="submit" busy={name.isPending}>{t('orphans.name.do')}</Button>
    </form>
  )
}
