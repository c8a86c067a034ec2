import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Trash2, UserPlus } from 'lucide-react'
import { useState, type SubmitEvent } from 'react'
import { agent, isProblem, type Member, type MemberDraft, type Post } from '@/api'
import { ErrorNote, Loading } from '@/features/frame'
import { useT, Words } from '@/i18n'
import { announce, Button, Field, SelectField, textOf } from '@/ui'
import { Confirm, Dialog } from '@/ui/overlays'
import { roles } from './RoleChip'

/** Who acts for the post. One's own role is for others to change. */
export function People({ post, self }: { post: Post; self: string }) {
  const t = useT()
  const queries = useQueryClient()
  const key = ['members', post.id]
  const { data, error, refetch } = useQuery({ queryKey: key, queryFn: () => agent.members(post.id) })
  const [adding, setAdding] = useState(false)
  const [leaving, setLeaving] = useState<Member | null>(null)
  // Whoever goes may leave meetings behind that nobody hosts.
  const again = () => Promise.all([queries.invalidateQueries({ queryKey: key }), queries.invalidateQueries({ queryKey: ['orphans', post.id] })])
  const change = useMutation({
    mutationFn: ({ member, role }: { member: Member; role: Member['role'] }) => agent.setRole(post.id, member.account, role),
    onSuccess: (member) => announce(t('posts.role.changed', { name: member.name, role: t(`posts.role.${member.role}`) })),
    onSettled: again,
  })
  const remove = useMutation({
    mutationFn: (member: Member) => agent.removeMember(post.id, member.account),
    onSuccess: (_, member) => announce(t('posts.removed', { name: member.name })),
    onSettled: again,
  })
  const failed = error ?? change.error ?? remove.error
  return (
    <section aria-labelledby="people">
      <div className="head">
        <h2 id="people">{t('posts.people')}</h2>
        <Button icon={<UserPlus aria-hidden="true" />} onClick={() => setAdding(true)}>{t('posts.add')}</Button>
      </div>
      {isProblem(failed, 'last-administrator') ? <p className="note danger" role="alert">{t('posts.last')}</p> : failed ? <ErrorNote error={failed} {...(error ? { retry: () => void refetch() } : {})} /> : null}
      {data ? (
        <ul className="card people-of-post" aria-labelledby="people">
          {data.map((member) => (
            <li key={member.account}>
              <div>
                <b><bdi>{member.name}</bdi></b>{member.account === self ? <span className="muted"> {t('people.you')}</span> : null}
                <small><bdi>{member.email}</bdi></small>
              </div>
              <SelectField
                label={<span className="vh">{t('posts.role.of', { name: member.name })}</span>} value={member.role} disabled={member.account === self || change.isPending}
                onChange={(event) => change.mutate({ member, role: event.target.value as Member['role'] })}
              >
                {roles.map((role) => <option key={role} value={role}>{t(`posts.role.${role}`)}</option>)}
              </SelectField>
              <Button kind="quiet" aria-label={t('posts.remove.of', { name: member.name })} icon={<Trash2 aria-hidden="true" />} disabled={member.account === self} onClick={() => setLeaving(member)} />
            </li>
          ))}
        </ul>
      ) : error ? null : <Loading />}
      <Dialog title={t('posts.add')} open={adding} onClose={() => setAdding(false)} closeLabel={t('common.close')}>
        <Add post={post} onDone={() => { setAdding(false); void again() }} />
      </Dialog>
      <Confirm
        title={<Words id="posts.remove.title" values={{ name: <bdi>{leaving?.name ?? ''}</bdi> }} />} open={leaving !== null} onClose={() => setLeaving(null)}
        cancel={t('common.cancel')} act={t('posts.remove.do')} onAct={() => leaving ? remove.mutateAsync(leaving).then(() => undefined) : undefined}
      >
        <p>{t('posts.remove.body')}</p>
      </Confirm>
    </section>
  )
}

function Add({ post, onDone }: { post: Post; onDone: () => void }) {
  const t = useT()
  const add = useMutation({
    mutationFn: (draft: MemberDraft) => agent.addMember(post.id, draft),
    onSuccess: (member) => {
      announce(t('posts.added', { name: member.name }))
      onDone()
    },
  })
  const unknown = isProblem(add.error, 'invalid') && 'email' in add.error.fields
  const there = isProblem(add.error, 'conflict')
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    if (!add.isPending) add.mutate({ email: textOf(form, 'email').trim(), role: textOf(form, 'role') as Member['role'] })
  }
  return (
    <form className="stack" onSubmit={submit}>
      <p>{t('posts.add.body')} <a href="/accounts">{t('accounts.title')}</a></p>
      <Field label={t('signin.email')} name="email" type="email" required maxLength={254} autoComplete="off" error={there ? t('posts.add.there') : unknown ? t('posts.add.unknown') : undefined} />
      <RoleField />
      {add.error && !unknown && !there ? <ErrorNote error={add.error} /> : null}
      <Button kind="primary" big type="submit" busy={add.isPending}>{t('posts.add.do')}</Button>
    </form>
  )
}

function RoleField() {
  const t = useT()
  const [role, setRole] = useState<Member['role']>('agent')
  return (
    <SelectField label={t('posts.role')} name="role" value={role} onChange={(event) => setRole(event.target.value as Member['role'])} hint={t(`posts.role.${role}.may`)}>
      {roles.map((one) => <option key={one} value={one}>{t(`posts.role.${one}`)}</option>)}
    </SelectField>
  )
}
