// Another title or schedule, and the end of a meeting that is not held or is permanent.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { CalendarX2, Pencil } from 'lucide-react'
import { useState, type SubmitEvent } from 'react'
import { agent, type Meeting } from '@/api'
import { ErrorNote, useFaults } from '@/features/frame'
import { useT } from '@/i18n'
import { announce, Button, Field, textOf } from '@/ui'
import { Confirm, Dialog } from '@/ui/overlays'
import { nextHour, schedule, When, type Kind } from './When'

/** What hosts change of the meeting itself. */
export function EditMeeting({ meeting }: { meeting: Meeting }) {
  const t = useT()
  const queries = useQueryClient()
  const [open, setOpen] = useState<'edit' | 'end' | null>(null)
  const [error, setError] = useState<unknown>(null)
  const close = () => setOpen(null)
  const end = async () => {
    setError(null)
    try {
      queries.setQueryData(['meeting', meeting.id], await agent.endForGood(meeting.id))
      void queries.invalidateQueries({ queryKey: ['meetings'] })
      announce(t('edit.ended'))
    } catch (problem) {
      setError(problem)
    }
  }
  const which = meeting.permanent ? 'permanent' : 'cancel'
  return (
    <>
      <Button icon={<Pencil aria-hidden="true" />} onClick={() => setOpen('edit')}>{t('edit.open')}</Button>
      {meeting.role === 'host' && (meeting.permanent || meeting.state === 'scheduled')
        ? <Button kind="quiet" icon={<CalendarX2 aria-hidden="true" />} onClick={() => setOpen('end')}>{t(`edit.${which}`)}</Button> : null}
      {error ? <ErrorNote error={error} /> : null}
      <Dialog open={open === 'edit'} onClose={close} closeLabel={t('common.close')} title={t('edit.title')}>
        <Edit meeting={meeting} onDone={close} />
      </Dialog>
      <Confirm open={open === 'end'} onClose={close} cancel={t('edit.keep')} act={t(`edit.${which}`)} title={t(`edit.${which}.ask`)} onAct={end}>
        <p>{t('edit.end.effect')}</p>
      </Confirm>
    </>
  )
}

function Edit({ meeting, onDone }: { meeting: Meeting; onDone: () => void }) {
  const t = useT()
  const queries = useQueryClient()
  const { starts_at: starts, ends_at: ends } = meeting
  const [kind, setKind] = useState<Kind>(meeting.permanent ? 'permanent' : starts ? 'dated' : 'undated')
  const [first] = useState(() => (starts ? new Date(starts) : nextHour(Date.now())))
  const save = useMutation({
    mutationFn: (body: Parameters<typeof agent.editMeeting>[1]) => agent.editMeeting(meeting.id, body),
    onSuccess: (saved) => {
      queries.setQueryData(['meeting', meeting.id], saved)
      void queries.invalidateQueries({ queryKey: ['meetings'] })
      announce(t('edit.saved'))
      onDone()
    },
  })
  const fields = useFaults(save.error)
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    if (!save.isPending) save.mutate({ title: textOf(form, 'title').trim() || meeting.title, ...schedule(kind, form) })
  }
  return (
    <form className="stack" onSubmit={submit}>
      <Field label={t('create.name')} name="title" maxLength={200} defaultValue={meeting.title} error={fields['title']} />
      <When kind={kind} onKind={setKind} undated={t('meeting.nodate')} start={first} minutes={starts && ends ? (new Date(ends).getTime() - new Date(starts).getTime()) / 60_000 : 60} errors={fields} />
      {save.error && (Object.keys(fields).length === 0 || kind !== 'dated') ? <ErrorNote error={save.error} /> : null}
      <p className="sm muted">{t('edit.says')}</p>
      <Button kind="primary" big type="submit" busy={save.isPending}>{t('edit.save')}</Button>
    </form>
  )
}
