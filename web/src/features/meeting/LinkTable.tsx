import { useQueryClient } from '@tanstack/react-query'
import { Ban, CalendarClock, Check, Copy, Ellipsis, Eye, KeyRound, ListChecks, RefreshCw, User, Users } from 'lucide-react'
import { useState } from 'react'
import { agent, forgetLink, keptSecret, linkURL, type Link } from '@/api'
import { ErrorNote } from '@/features/frame'
import { useLang, useT, Words } from '@/i18n'
import { shortMoment } from '@/i18n/stamps'
import { announce, Button, useNow } from '@/ui'
import { Confirm, MenuButton } from '@/ui/overlays'
import { ExtendDialog } from './ExtendDialog'
import { PINDialog } from './PINDialog'
import { ReissueDialog } from './ReissueDialog'
import { UsesDialog } from './UsesDialog'

interface Props {
  meetingID: string
  links: readonly Link[]
  ended: boolean
}

/** What is asked about which link. */
export type LinkAct = 'extend' | 'pin' | 'reissue' | 'revoke' | 'uses'

const atOnce = 100

export function LinkTable({ meetingID, links, ended }: Props) {
  const t = useT()
  const queries = useQueryClient()
  const [asked, setAsked] = useState<{ act: LinkAct; link: Link } | null>(null)
  const [shown, setShown] = useState(atOnce)
  const [error, setError] = useState<unknown>(null)
  const close = () => setAsked(null)
  const revoke = async (link: Link) => {
    setError(null)
    try {
      await agent.revokeLink(meetingID, link.id)
      forgetLink(link.id)
      announce(t('links.revoked.said', { name: nameOf(link) }))
      await queries.invalidateQueries({ queryKey: ['links', meetingID] })
    } catch (problem) {
      setError(problem)
    }
  }
  const about = (act: LinkAct) => (asked?.act === act ? asked.link : null)
  const revoking = about('revoke')
  return (
    <>
      {error ? <ErrorNote error={error} /> : null}
      <table className="link-table">
        <thead>
          <tr>
            <th scope="col">{t('links.col.who')}</th>
            <th scope="col">{t('links.col.kind')}</th>
            <th scope="col">{t('links.col.until')}</th>
            <th scope="col"><span className="vh">{t('links.col.acts')}</span></th>
          </tr>
        </thead>
        <tbody>
          {links.slice(0, shown).map((link) => <Row key={link.id} link={link} ended={ended} onAsk={(act) => setAsked({ act, link })} />)}
        </tbody>
      </table>
      {links.length > shown ? <Button onClick={() => setShown(shown + atOnce)}>{t('links.more', { n: links.length - shown })}</Button> : null}
      <Confirm
        open={revoking !== null} onClose={close} cancel={t('common.cancel')} act={t('links.revoke')}
        title={<Words id="links.revoke.question" values={{ name: <bdi>{revoking ? nameOf(revoking) : ''}</bdi> }} />}
        onAct={() => (revoking ? revoke(revoking) : undefined)}
      >
        <p>{t('links.revoke.effect')}</p>
      </Confirm>
      <ExtendDialog meetingID={meetingID} link={about('extend')} onClose={close} />
      <PINDialog meetingID={meetingID} link={about('pin')} onClose={close} onReissue={(link) => setAsked({ act: 'reissue', link })} />
      <ReissueDialog meetingID={meetingID} link={about('reissue')} onClose={close} />
      <UsesDialog meetingID={meetingID} link={about('uses')} onClose={close} />
    </>
  )
}

/** Who a link is for, as the hosts call it. */
export function nameOf(link: Link): string {
  return link.guest_name ?? (link.label || '')
}

function Row({ link, ended, onAsk }: { link: Link; ended: boolean; onAsk: (act: LinkAct) => void }) {
  const t = useT()
  const lang = useLang()
  const now = useNow(60_000)
  const over = link.revoked_at ? 'revoked' : new Date(link.expires_at).getTime() < now ? 'expired' : null
  const name = nameOf(link) || t(`links.kind.${link.kind}`)
  const entry = (act: LinkAct, icon: React.ReactNode) => ({ id: act, label: t(`links.act.${act}`), icon, danger: act === 'revoke', onAct: () => onAsk(act) })
  const changing = ended || link.revoked_at ? [] : [entry('extend', <CalendarClock aria-hidden="true" />), entry('pin', <KeyRound aria-hidden="true" />), entry('reissue', <RefreshCw aria-hidden="true" />)]
  return (
    <tr className={over ? 'over' : ''}>
      <th scope="row">
        <bdi>{name}</bdi>
        {link.organisation || (link.guest_name && link.label) ? <small><bdi>{[link.organisation, link.guest_name ? link.label : ''].filter(Boolean).join(' · ')}</bdi></small> : null}
      </th>
      <td>
        <span className="chips">
          <span className="chip">{link.kind === 'personal' ? <User aria-hidden="true" /> : <Users aria-hidden="true" />}{used(link, t)}</span>
          {link.role === 'observer' ? <span className="chip"><Eye aria-hidden="true" />{t('role.observer')}</span> : null}
          {link.pin ? <span className="chip"><KeyRound aria-hidden="true" />{t('links.pin.short')}</span> : null}
          {link.binding === 'tab' ? <span className="chip warn">{t('links.binding.tab')}</span> : null}
        </span>
      </td>
      <td className="sm when">
        {over ? <span className="chip danger">{t(`links.over.${over}`)}</span> : (
          <>
            {link.valid_from && new Date(link.valid_from).getTime() > now ? <>{t('links.opens', { date: shortMoment(new Date(link.valid_from), lang) })}<br /></> : null}
            {t('links.until', { date: shortMoment(new Date(link.expires_at), lang) })}
          </>
        )}
      </td>
      <td className="acts">
        {over || ended ? null : <CopyButton link={link} name={name} />}
        <MenuButton
          label={t('links.menu', { name })} button={<Ellipsis aria-hidden="true" />}
          groups={[{ entries: [entry('uses', <ListChecks aria-hidden="true" />), ...changing] }, { entries: link.revoked_at ? [] : [entry('revoke', <Ban aria-hidden="true" />)] }]}
        />
      </td>
    </tr>
  )
}

function used(link: Link, t: ReturnType<typeof useT>): string {
  if (link.kind === 'personal') return t(link.uses > 0 ? 'links.personal.used' : link.opened_at ? 'links.personal.opened' : 'links.personal.unused')
  return link.max_uses ? t('links.shared.of', { n: link.uses, max: link.max_uses }) : t('links.shared.used', { n: link.uses })
}

function CopyButton({ link, name }: { link: Link; name: string }) {
  const t = useT()
  const [copied, setCopied] = useState(false)
  const secret = keptSecret(link.id)
  if (secret === null) return <span className="muted sm">{t('links.elsewhere')}</span>
  const copy = () => {
    void navigator.clipboard.writeText(linkURL(location.origin, link.id, secret)).then(() => {
      setCopied(true)
      announce(t(link.pin ? 'links.copied.pin' : 'links.copied.plain'))
    })
  }
  return (
    <Button icon={copied ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />} onClick={copy} aria-label={t('links.copy.name', { name })}>
      {copied ? t('links.copied.short') : t('links.copy')}
    </Button>
  )
}
