// A legal hold, for administrators of the post: nothing deletes the recording until it is lifted.
import { useMutation } from '@tanstack/react-query'
import { LockKeyhole, LockKeyholeOpen } from 'lucide-react'
import { useState, type SubmitEvent } from 'react'
import { agent } from '@/api'
import { ErrorNote } from '@/features/frame'
import { useT } from '@/i18n'
import { announce, AreaField, Button, recoverFocus } from '@/ui'
import { Confirm, Dialog } from '@/ui/overlays'
import type { ActProps } from './Acts'
import { useReadAnew } from './place'

export function Hold(props: ActProps) {
  const t = useT()
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button icon={<LockKeyhole aria-hidden="true" />} onClick={() => setOpen(true)}>{t('recs.hold')}</Button>
      <Dialog title={t('recs.hold.title')} open={open} onClose={() => setOpen(false)} closeLabel={t('common.close')}>
        <Reason {...props} onDone={() => setOpen(false)} />
      </Dialog>
    </>
  )
}

function Reason({ place, one, onDone }: ActProps & { onDone: () => void }) {
  const t = useT()
  const readAnew = useReadAnew()
  const [reason, setReason] = useState('')
  const [missing, setMissing] = useState(false)
  const hold = useMutation({
    mutationFn: () => agent.holdRecording(place.post, place.meeting, one.id, reason.trim()),
    onSuccess: async () => {
      onDone()
      announce(t('recs.hold.done'))
      await readAnew()
      recoverFocus()
    },
  })
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    setMissing(reason.trim() === '')
    if (reason.trim() !== '' && !hold.isPending) hold.mutate()
  }
  return (
    <form className="stack" onSubmit={submit} noValidate>
      <p>{t('recs.hold.body')}</p>
      <AreaField label={t('recs.hold.reason')} hint={t('recs.hold.reason.hint')} maxLength={200} rows={2} required value={reason} onChange={(event) => setReason(event.target.value)} error={missing ? t('recs.hold.reason.missing') : undefined} />
      {hold.error ? <ErrorNote error={hold.error} /> : null}
      <div className="acts"><Button kind="primary" type="submit" busy={hold.isPending}>{t('recs.hold')}</Button></div>
    </form>
  )
}

export function Lift({ place, one }: ActProps) {
  const t = useT()
  const readAnew = useReadAnew()
  const [asking, setAsking] = useState(false)
  const lift = useMutation({
    mutationFn: () => agent.liftHold(place.post, place.meeting, one.id),
    onSuccess: () => announce(t('recs.lift.done')),
    onSettled: async () => {
      await readAnew()
      recoverFocus()
    },
  })
  return (
    <>
      <Button icon={<LockKeyholeOpen aria-hidden="true" />} onClick={() => setAsking(true)}>{t('recs.lift')}</Button>
      {lift.error ? <ErrorNote error={lift.error} /> : null}
      <Confirm open={asking} onClose={() => setAsking(false)} cancel={t('common.cancel')} act={t('recs.lift')} title={t('recs.lift.ask')} onAct={() => lift.mutateAsync()}>
        <p>{t('recs.lift.effect')}</p>
      </Confirm>
    </>
  )
}
