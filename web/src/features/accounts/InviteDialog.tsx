import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type SubmitEvent } from 'react'
import { agent, isProblem, type Account, type InvitedAccount } from '@/api'
import { ErrorNote, useFaults } from '@/features/frame'
import { LinkToCopy } from '@/features/meeting'
import { useT, Words } from '@/i18n'
import { Button, Field, SelectField, textOf } from '@/ui'
import { Dialog } from '@/ui/overlays'
import { firstVisit } from './invitation'

interface Props {
  /** Who adds. */
  account: Account
  open: boolean
  onClose: () => void
}

export function InviteDialog({ account, open, onClose }: Props) {
  const t = useT()
  const [made, setMade] = useState<InvitedAccount | null>(null)
  const close = () => {
    setMade(null)
    onClose()
  }
  return (
    <Dialog open={open} onClose={close} closeLabel={t('common.close')} title={made ? t('accounts.ready') : t('accounts.add')}>
      {made ? (
        <div className="stack">
          <p><Words id="accounts.ready.says" values={{ name: <bdi>{made.account.name}</bdi> }} /></p>
          <LinkToCopy url={firstVisit(made.invite_url)} hint={t('accounts.ready.hint')} onDone={close} />
        </div>
      ) : <NewAccount account={account} onMade={setMade} />}
    </Dialog>
  )
}

const roles = ['agent', 'administrator', 'auditor'] as const

function NewAccount({ account, onMade }: { account: Account; onMade: (made: InvitedAccount) => void }) {
  const t = useT()
  const queries = useQueryClient()
  const make = useMutation({
    mutationFn: agent.createAccount,
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: ['accounts'] })
      onMade(made)
    },
  })
  const posts = account.posts.filter(({ role }) => role === 'administrator')
  const [role, setRole] = useState<(typeof roles)[number]>('agent')
  const fields = useFaults(make.error)
  const taken = isProblem(make.error, 'conflict')
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    if (!make.isPending) make.mutate({ name: textOf(form, 'name').trim(), email: textOf(form, 'email').trim(), post: posts.length > 1 ? textOf(form, 'post') : (posts[0]?.id ?? ''), role })
  }
  return (
    <form className="stack" onSubmit={submit}>
      <Field label={t('accounts.name')} name="name" required maxLength={120} autoComplete="off" error={fields['name'] ? t('accounts.name.invalid') : undefined} />
      <Field label={t('signin.email')} name="email" type="email" required maxLength={254} autoComplete="off" error={taken ? t('accounts.taken') : fields['email'] ? t('accounts.email.invalid') : undefined} />
      {posts.length > 1 ? (
        <SelectField label={t('posts.post')} name="post">
          {posts.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
        </SelectField>
      ) : null}
      <SelectField label={t('posts.role')} value={role} onChange={(event) => setRole(event.target.value as (typeof roles)[number])} hint={t(`posts.role.${role}.may`)}>
        {roles.map((one) => <option key={one} value={one}>{t(`posts.role.${one}`)}</option>)}
      </SelectField>
      {make.error && !taken && Object.keys(fields).length === 0 ? <ErrorNote error={make.error} /> : null}
      <Button kind="primary" big type="submit" busy={make.isPending}>{t('setup.do')}</Button>
    </form>
  )
}
