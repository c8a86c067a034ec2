import { useQueryClient } from '@tanstack/react-query'
import { Ban, Check, Copy, User, Users } from 'lucide-react'
import { useState } from 'react'
import { agent, forgetSecret, keptSecret, linkURL, type Link } from '@/api'
import { ErrorNote } from '@/features/frame'
import { useLang, useT, Words } from '@/i18n'
import { shortMoment } from '@/i18n/dates'
import { announce, Button, useNow } from '@/ui'
import { Confirm } from '@/ui/overlays'

interface Props {
  meetingID: string
  links: readonly Link[]
}

export function LinkTable({ meetingID, links }: Props) {
  const t = useT()
  const queries = useQueryClient()
  const [asked, setAsked] = useState<Link | null>(null)
  const [error, setError] = useState<unknown>(null)
  const revoke = async (link: Link) => {
    setError(null)
    try {
      await agent.revokeLink(meetingID, link.id)
      forgetSecret(link.id)
      announce(t('links.revoked.said', { name: nameOf(link) }))
      await queries.invalidateQueries({ queryKey: ['links', meetingID] })
    } catch (problem) {
      setError(problem)
    }
  }
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
          {links.map((link) => <Row key={link.id} link={link} onRevoke={() => setAsked(link)} />)}
        </tbody>
      </table>
      <Confirm
        open={asked !== null} onClose={() => setAsked(null)} cancel={t('common.cancel')} act={t('links.revoke')}
        title={<Words id="links.revoke.question" values={{ name: <bdi>{asked ? nameOf(asked) : ''}</bdi> }} />}
        onAct={() => (asked ? revoke(asked) : undefined)}
      >
        <p>{t('links.revoke.effect')}</p>
      </Confirm>
    </>
  )
}

function nameOf(link: Link): string {
  return link.guest_name ?? (link.label || '')
}

function Row({ link, onRevoke }: { link: Link; onRevoke: () => void }) {
  const t = useT()
  const lang = useLang()
  const now = useNow(60_000)
  const over = link.revoked_at ? 'revoked' : new Date(link.expires_at).getTime() < now ? 'expired' : null
  const name = nameOf(link) || t(`links.kind.${link.kind}`)
  return (
    <tr className={over ? 'over' : ''}>
      <th scope="row">
        <bdi>{name}</bdi>
        {link.organisation || (link.guest_name && link.label) ? <small><bdi>{[link.organisation, link.guest_name ? link.label : ''].filter(Boolean).join(' · ')}</bdi></small> : null}
      </th>
      <td>
        <span className="chip">{link.kind === 'personal' ? <User aria-hidden="true" /> : <Users aria-hidden="true" />}{used(link, t)}</span>
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
        {over ? null : <CopyButton link={link} name={name} />}
        {over ? null : <Button kind="quiet" icon={<Ban aria-hidden="true" />} onClick={onRevoke} aria-label={t('links.revoke.name', { name })}><span className="hide-m">{t('links.revoke.short')}</span></Button>}
      </td>
    </tr>
  )
}

function used(link: Link, t: ReturnType<typeof useT>): string {
  if (link.kind === 'personal') return t(link.uses > 0 ? 'links.personal.used' : 'links.personal.unused')
  return link.max_uses ? t('links.shared.of', { n: link.uses, max: link.max_uses }) : t('links.shared.used', { n: link.uses })
}

function CopyButton({ link, name }: { link: Link; name: string }) {
  const t = useT()
  const [copied, setCopied] = useState(false)
  const secret = keptSecret(link.id)
  // The secret was made in another browser and never reached the server: only that browser can copy it.
  if (!secret) return <span className="sm muted">{t('links.elsewhere')}</span>
  const copy = () => {
    void navigator.clipboard.writeText(linkURL(location.origin, link.id, secret)).then(() => {
      setCopied(true)
      announce(t('links.copied.plain'))
    })
  }
  return (
    <Button icon={copied ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />} onClick={copy} aria-label={t('links.copy.name', { name })}>
      {copied ? t('links.copied.short') : t('links.copy')}
    </Button>
  )
}
