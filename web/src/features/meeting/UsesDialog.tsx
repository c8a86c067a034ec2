import { useQuery } from '@tanstack/react-query'
import { agent, type Link, type LinkUse } from '@/api'
import { ErrorNote, Loading } from '@/features/frame'
import { useLang, useT, Words, type Translate } from '@/i18n'
import { shortMoment } from '@/i18n/stamps'
import { Dialog } from '@/ui/overlays'
import { nameOf } from './LinkTable'

interface Props {
  meetingID: string
  link: Link | null
  onClose: () => void
}

/** Who used a link, and what became of it. */
export function UsesDialog({ meetingID, link, onClose }: Props) {
  const t = useT()
  return (
    <Dialog open={link !== null} onClose={onClose} closeLabel={t('common.close')} title={<Words id="links.uses.title" values={{ name: <bdi>{link ? nameOf(link) : ''}</bdi> }} />}>
      {link ? <Uses meetingID={meetingID} link={link} /> : null}
    </Dialog>
  )
}

function Uses({ meetingID, link }: { meetingID: string; link: Link }) {
  const t = useT()
  const { data, error, refetch } = useQuery({ queryKey: ['uses', meetingID, link.id], queryFn: () => agent.linkUses(meetingID, link.id), staleTime: 0 })
  if (error) return <ErrorNote error={error} retry={() => void refetch()} />
  if (!data) return <Loading />
  if (data.length === 0) return <p>{t(link.opened_at ? 'links.uses.opened' : 'links.uses.none')}</p>
  return <ol className="uses">{data.map((use) => <Use key={use.session + use.knocked_at} use={use} link={link} />)}</ol>
}

function Use({ use, link }: { use: LinkUse; link: Link }) {
  const t = useT()
  const lang = useLang()
  const at = (moment: string) => shortMoment(new Date(moment), lang)
  return (
    <li>
      <p><b><bdi>{use.name}</bdi></b>{use.organisation ? <>{' · '}<bdi>{use.organisation}</bdi></> : null}</p>
      <p className="sm">{decision(use, at, t)}</p>
      <p className="sm muted">{t('links.uses.when', { opened: at(use.opened_at), knocked: at(use.knocked_at) })}</p>
      <p className="chips">
        <span className={`chip ${use.bound ? '' : 'warn'}`}>{t(use.bound ? 'links.uses.bound' : 'links.uses.unbound')}</span>
        {link.pin || use.pin_passed ? <span className={`chip ${use.pin_passed ? '' : 'warn'}`}>{t(use.pin_passed ? 'links.uses.pin' : 'links.uses.nopin')}</span> : null}
        {use.reissued ? <span className="chip">{t('links.uses.reissued')}</span> : null}
      </p>
    </li>
  )
}

function decision(use: LinkUse, at: (moment: string) => string, t: Translate): string {
  const status = t(`links.uses.${use.removed ? 'removed' : use.status}`)
  return use.decided_at ? t('links.uses.by', { status, host: use.decided_by ?? '', date: at(use.decided_at) }) : status
}
