import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { Link, Meeting } from '@/api'
import { ErrorNote } from '@/features/frame'
import { useT, Words } from '@/i18n'
import { Button } from '@/ui'
import { Dialog } from '@/ui/overlays'
import { LinkReady } from './LinkReady'
import { nameOf } from './LinkTable'
import { endAfter } from './lives'
import { reissue, type Made } from './making'

interface Props {
  meetingID: string
  link: Link | null
  onClose: () => void
}

/** A new secret for the same guest. One question that names the consequence, then the new address. */
export function ReissueDialog({ meetingID, link, onClose }: Props) {
  const t = useT()
  const queries = useQueryClient()
  const [made, setMade] = useState<Made | null>(null)
  const make = useMutation({
    mutationFn: (old: Link) => reissue(meetingID, old, new Date(old.expires_at).getTime() > Date.now() ? undefined : endAfter(168)),
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: ['links', meetingID] })
      setMade(made)
    },
  })
  const close = () => {
    setMade(null)
    make.reset()
    onClose()
  }
  return (
    <Dialog open={link !== null} onClose={close} closeLabel={t('common.close')} title={made ? t('links.ready') : <Words id="links.reissue.question" values={{ name: <bdi>{link ? nameOf(link) : ''}</bdi> }} />}>
      {made ? <LinkReady meeting={queries.getQueryData<Meeting>(['meeting', meetingID])} made={made} onDone={close} /> : (
        <div className="stack">
          <p>{t('links.reissue.effect')}</p>
          {make.error ? <ErrorNote error={make.error} /> : null}
          <div className="acts">
            <Button onClick={close}>{t('common.cancel')}</Button>
            <Button kind="danger" busy={make.isPending} onClick={() => (link ? make.mutate(link) : undefined)}>{t('links.act.reissue')}</Button>
          </div>
        </div>
      )}
    </Dialog>
  )
}
