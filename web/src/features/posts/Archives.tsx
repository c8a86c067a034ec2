// The keys of archives: to whom the post's recordings are sealed. It comes by itself, with its words: few open a post's page.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { KeyRound, Trash2 } from 'lucide-react'
import { useState, type SubmitEvent } from 'react'
import { agent, isProblem, type Post, type Recipient, type RecipientDraft, type RecipientList } from '@/api'
import { ErrorNote, Loading, useFaults } from '@/features/frame'
import { useLang, useT, Words } from '@/i18n'
import { shortMoment } from '@/i18n/stamps'
import { announce, AreaField, Button, Field, textOf } from '@/ui'
import { Confirm, Dialog } from '@/ui/overlays'

/** As many as a recording may have. */
const most = 20

export function Archives({ post }: { post: Post }) {
  const t = useT()
  const lang = useLang()
  const queries = useQueryClient()
  const key = ['recipients', post.id]
  const { data, error, refetch } = useQuery({ queryKey: key, queryFn: () => agent.recipients(post.id) })
  const [adding, setAdding] = useState(false)
  const [leaving, setLeaving] = useState<Recipient | null>(null)
  const again = () => queries.invalidateQueries({ queryKey: key })
  const remove = useMutation({
    mutationFn: (one: Recipient) => agent.removeRecipient(post.id, one.id),
    onSuccess: (_, one) => announce(t('archives.removed', { name: one.name })),
    onSettled: again,
  })
  const failed = error ?? remove.error
  return (
    <section aria-labelledby="archives" className="stack-s">
      <div className="head">
        <h2 id="archives">{t('archives.title')}</h2>
        <Button icon={<KeyRound aria-hidden="true" />} disabled={!data || data.recipients.length >= most} onClick={() => setAdding(true)}>{t('archives.add')}</Button>
      </div>
      <p className="muted">{t('archives.body')}</p>
      {failed ? <ErrorNote error={failed} {...(error ? { retry: () => void refetch() } : {})} /> : null}
      {data ? (
        <>
          <Standing list={data} />
          {data.recipients.length > 0 ? (
            <ul className="card people-of-post archives" aria-labelledby="archives">
              {data.recipients.map((one) => (
                <li key={one.id}>
                  <div>
                    <b><bdi>{one.name}</bdi></b>
                    <small><Words id="archives.by" values={{ date: shortMoment(new Date(one.added_at), lang), who: <bdi>{one.added_by}</bdi> }} /></small>
                    <small>{t('archives.print')} <code dir="ltr">{one.fingerprint.replace(/(.{4})(?=.)/g, '$1 ')}</code></small>
                  </div>
                  <Button kind="quiet" aria-label={t('archives.remove.of', { name: one.name })} icon={<Trash2 aria-hidden="true" />} onClick={() => setLeaving(one)} />
                </li>
              ))}
            </ul>
          ) : null}
          {data.changed_at ? <p className="sm muted"><Words id="archives.changed" values={{ date: shortMoment(new Date(data.changed_at), lang), who: <bdi>{data.changed_by ?? ''}</bdi> }} /></p> : null}
        </>
      ) : error ? null : <Loading />}
      <Dialog title={t('archives.add')} open={adding} onClose={() => setAdding(false)} closeLabel={t('common.close')}>
        <Add post={post} onDone={() => { setAdding(false); void again() }} />
      </Dialog>
      <Confirm
        title={<Words id="archives.remove.title" values={{ name: <bdi>{leaving?.name ?? ''}</bdi> }} />} open={leaving !== null} onClose={() => setLeaving(null)}
        cancel={t('common.cancel')} act={t('archives.remove.do')} onAct={() => leaving ? remove.mutateAsync(leaving).then(() => undefined) : undefined}
      >
        <p>{t('archives.remove.body')}</p>
        {data?.recipients.length === 1 ? <p>{data.server > 0 ? t('archives.last.server', { n: data.server }) : t('archives.last.none')}</p> : null}
      </Confirm>
    </section>
  )
}

/** What follows from how many keys there are. */
function Standing({ list }: { list: RecipientList }) {
  const t = useT()
  switch (list.recipients.length) {
    case 0: return <p className={list.server > 0 ? 'note' : 'note warn'}>{list.server > 0 ? t('archives.server', { n: list.server }) : t('archives.none')}</p>
    case 1: return <p className="note warn">{t('archives.one')}</p>
    default: return list.recipients.length < most ? null : <p className="note">{t('archives.full', { n: most })}</p>
  }
}

function Add({ post, onDone }: { post: Post; onDone: () => void }) {
  const t = useT()
  const add = useMutation({
    mutationFn: (draft: RecipientDraft) => agent.addRecipient(post.id, draft),
    onSuccess: (one) => {
      announce(t('archives.added', { name: one.name }))
      onDone()
    },
  })
  const faults = useFaults(add.error)
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    if (!add.isPending) add.mutate({ name: textOf(form, 'name').trim(), key: textOf(form, 'key').trim() })
  }
  return (
    <form className="stack" onSubmit={submit}>
      <Field label={t('archives.name')} name="name" required maxLength={80} autoComplete="off" hint={t('archives.name.hint')} error={faults.name} />
      <AreaField label={t('archives.key')} name="key" required rows={4} maxLength={8000} autoComplete="off" spellCheck={false} dir="ltr" className="archive-key" hint={t('archives.key.hint')} error={faults.key} />
      {add.error && !isProblem(add.error, 'invalid') ? <ErrorNote error={add.error} /> : null}
      <Button kind="primary" big type="submit" busy={add.isPending}>{t('archives.add.do')}</Button>
    </form>
  )
}
