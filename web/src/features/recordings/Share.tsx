// With whom else a recording is shared: colleagues of the post, each until a day.
import { useMutation } from '@tanstack/react-query'
import { Share2, X } from 'lucide-react'
import { useState, type SubmitEvent } from 'react'
import { agent, isProblem } from '@/api'
import { ErrorNote } from '@/features/frame'
import { useLang, useT } from '@/i18n'
import { shortMoment } from '@/i18n/stamps'
import { announce, Button, Field, recoverFocus, textOf } from '@/ui'
import { Dialog } from '@/ui/overlays'
import type { ActProps } from './Acts'
import { dayOf, endOf } from './days'
import { useReadAnew } from './place'

export function Share(props: ActProps) {
  const t = useT()
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button icon={<Share2 aria-hidden="true" />} onClick={() => setOpen(true)}>{t('recs.share')}</Button>
      <Dialog title={t('recs.share.title')} open={open} onClose={() => setOpen(false)} closeLabel={t('common.close')}>
        <div className="stack">
          <p>{t('recs.share.body')}</p>
          <With {...props} />
          <Add {...props} />
        </div>
      </Dialog>
    </>
  )
}

function With({ place, one }: ActProps) {
  const t = useT()
  const lang = useLang()
  const readAnew = useReadAnew()
  const back = useMutation({
    mutationFn: (account: string) => agent.unshareRecording(place.meeting, one.id, account),
    onSuccess: () => announce(t('recs.share.back.done')),
    onSettled: async () => {
      await readAnew()
      recoverFocus()
    },
  })
  return (
    <>
      {back.error ? <ErrorNote error={back.error} /> : null}
      <ul className="recs-shares">
        {one.shares.map(({ account, name, until }) => (
          <li key={account}>
            <span><bdi>{name}</bdi> <small className="muted">{t('recs.share.until', { date: shortMoment(new Date(until), lang) })}</small></span>
            <Button kind="quiet" icon={<X aria-hidden="true" />} aria-label={t('recs.share.back.of', { name })} busy={back.isPending && back.variables === account} onClick={() => back.mutate(account)}>{t('recs.share.back')}</Button>
          </li>
        ))}
      </ul>
    </>
  )
}

function Add({ place, one }: ActProps) {
  const t = useT()
  const readAnew = useReadAnew()
  const [email, setEmail] = useState('')
  const [day, setDay] = useState('')
  const share = useMutation({
    mutationFn: ({ email, day }: { email: string; day: string }) => agent.shareRecording(place.meeting, one.id, email, day ? endOf(day) : undefined),
    onSuccess: async ({ name }) => {
      setEmail('')
      setDay('')
      announce(t('recs.share.done', { name }))
      await readAnew()
    },
  })
  const wrong = isProblem(share.error, 'invalid') ? share.error.fields : {}
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (!share.isPending) share.mutate({ email: textOf(new FormData(event.currentTarget), 'email').trim(), day })
  }
  return (
    <form className="stack" onSubmit={submit}>
      <Field label={t('recs.share.email')} name="email" type="email" required maxLength={254} autoComplete="off" value={email} onChange={(event) => setEmail(event.target.value)} error={'email' in wrong ? t('recs.share.unknown') : undefined} />
      <Field
        label={t('recs.share.day')} hint={t('recs.share.day.hint')} type="date" value={day} min={dayOf(new Date())} max={one.expires_at ? dayOf(new Date(one.expires_at)) : undefined}
        onChange={(event) => setDay(event.target.value)} error={'until' in wrong ? t('recs.share.over') : undefined}
      />
      {share.error && !('email' in wrong) && !('until' in wrong) ? <ErrorNote error={share.error} /> : null}
      <div className="acts"><Button kind="primary" type="submit" busy={share.isPending}>{t('recs.share.do')}</Button></div>
    </form>
  )
}
