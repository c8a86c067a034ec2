import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { SubmitEvent } from 'react'
import { agent, isProblem, type Link } from '@/api'
import { ErrorNote } from '@/features/frame'
import { useT, Words } from '@/i18n'
import { announce, Button, Field, textOf } from '@/ui'
import { Dialog } from '@/ui/overlays'
import { nameOf } from './LinkTable'

interface Props {
  meetingID: string
  link: Link | null
  onClose: () => void
}

/** Moves the end of a link, forward or back: it closes the way in, and takes nobody out. */
export function ExtendDialog({ meetingID, link, onClose }: Props) {
  const t = useT()
  return (
    <Dialog open={link !== null} onClose={onClose} closeLabel={t('common.close')} title={<Words id="links.extend.title" values={{ name: <bdi>{link ? nameOf(link) : ''}</bdi> }} />}>
      {link ? <NewEnd meetingID={meetingID} link={link} onDone={onClose} /> : null}
    </Dialog>
  )
}

function NewEnd({ meetingID, link, onDone }: { meetingID: string; link: Link; onDone: () => void }) {
  const t = useT()
  const queries = useQueryClient()
  const move = useMutation({
    mutationFn: (end: string) => agent.extendLink(meetingID, link.id, end),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['links', meetingID] })
      announce(t('links.extend.done'))
      onDone()
    },
  })
  const at = isProblem(move.error, 'invalid') && 'expires_at' in move.error.fields
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const end = new Date(textOf(new FormData(event.currentTarget), 'end'))
    if (!move.isPending && !Number.isNaN(end.getTime())) move.mutate(end.toISOString())
  }
  return (
    <form className="stack" onSubmit={submit}>
      <Field label={t('links.extend.end')} name="end" type="datetime-local" required defaultValue={local(link.expires_at)} hint={t('links.extend.hint')} error={at ? t('links.extend.invalid') : undefined} />
      {move.error && !at ? <ErrorNote error={move.error} /> : null}
      <Button kind="primary" big type="submit" busy={move.isPending}>{t('links.act.extend')}</Button>
    </form>
  )
}

/** A moment as datetime-local wants it. */
function local(moment: string): string {
  const at = new Date(moment)
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
