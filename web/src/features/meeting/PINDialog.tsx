import { useMutation, useQueryClient } from '@tanstack/react-query'
import { keptPIN, keptSecret, type Link } from '@/api'
import { ErrorNote } from '@/features/frame'
import { useT, Words } from '@/i18n'
import { Button } from '@/ui'
import { Dialog } from '@/ui/overlays'
import { nameOf } from './LinkTable'
import { changePIN, removePIN } from './making'
import { PINToGive } from './PINToGive'

interface Props {
  meetingID: string
  link: Link | null
  onClose: () => void
  /** Where this browser does not keep the secret: a new link, with a new PIN. */
  onReissue: (link: Link) => void
}

export function PINDialog({ meetingID, link, onClose, onReissue }: Props) {
  const t = useT()
  return (
    <Dialog open={link !== null} onClose={onClose} closeLabel={t('common.close')} title={<Words id="links.pin.of" values={{ name: <bdi>{link ? nameOf(link) : ''}</bdi> }} />}>
      {link ? <PIN key={link.id} meetingID={meetingID} link={link} onReissue={() => onReissue(link)} /> : null}
    </Dialog>
  )
}

function PIN({ meetingID, link, onReissue }: { meetingID: string; link: Link; onReissue: () => void }) {
  const t = useT()
  const queries = useQueryClient()
  const change = useMutation<string | null, unknown, boolean>({
    mutationFn: (wanted) => (wanted ? changePIN(meetingID, link.id) : removePIN(meetingID, link.id).then(() => null)),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['links', meetingID] }),
  })
  const has = change.data === undefined ? link.pin : change.data !== null
  const pin = has ? (change.data ?? keptPIN(link.id)) : null
  const here = keptSecret(link.id) !== null
  return (
    <div className="stack">
      {pin ? <PINToGive pin={pin} /> : <p>{t(has ? 'links.pin.elsewhere' : 'links.pin.none')}</p>}
      {here ? null : <p className="sm muted">{t('links.pin.reissue')}</p>}
      {change.error ? <ErrorNote error={change.error} /> : null}
      <div className="acts">
        {has ? <Button kind="quiet" busy={change.isPending} onClick={() => change.mutate(false)}>{t('links.pin.remove')}</Button> : null}
        {here ? <Button busy={change.isPending} onClick={() => change.mutate(true)}>{t(has ? 'links.pin.new' : 'links.pin.add')}</Button> : <Button onClick={onReissue}>{t('links.act.reissue')}</Button>}
      </div>
    </div>
  )
}
