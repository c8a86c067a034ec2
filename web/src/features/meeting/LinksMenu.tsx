import { useQueryClient } from '@tanstack/react-query'
import { Ban, Download, Ellipsis, FileSpreadsheet, KeyRound, Mails } from 'lucide-react'
import { useState } from 'react'
import { agent, forgetLink, type Link, type Meeting } from '@/api'
import { ErrorNote } from '@/features/frame'
import { useLang, useT, wordsIn } from '@/i18n'
import { announce, useNow } from '@/ui'
import { Confirm, MenuButton } from '@/ui/overlays'
import { alive, codesFile, download, guestsFile, invitationsFile } from './exporting'

interface Props {
  meeting: Meeting
  links: readonly Link[]
  onImport: () => void
}

/** What is done to all links of a meeting. */
export function LinksMenu({ meeting, links, onImport }: Props) {
  const t = useT()
  const lang = useLang()
  const queries = useQueryClient()
  const [asking, setAsking] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const some = alive(links, useNow(60_000)).length > 0
  const save = (what: 'guests' | 'invitations' | 'codes', text: string) => download(`${t(`links.file.${what}`)}.csv`, text)
  const revokeAll = async () => {
    setError(null)
    try {
      for (const link of await agent.revokeAllLinks(meeting.id)) forgetLink(link.id)
      announce(t('links.revokeall.said'))
      await queries.invalidateQueries({ queryKey: ['links', meeting.id] })
    } catch (problem) {
      setError(problem)
    }
  }
  const files = links.length === 0 ? [] : [
    { id: 'guests', label: t('links.export.guests'), icon: <Download aria-hidden="true" />, onAct: () => save('guests', guestsFile(links, t, lang)) },
    {
      id: 'invitations', label: t('links.export.invitations'), icon: <Mails aria-hidden="true" />,
      onAct: () => void invitationsFile(meeting, links, t, lang, wordsIn, Date.now()).then((text) => save('invitations', text), setError),
    },
    { id: 'codes', label: t('links.export.codes'), icon: <KeyRound aria-hidden="true" />, onAct: () => save('codes', codesFile(links, t, lang, Date.now())) },
  ]
  return (
    <>
      <MenuButton
        label={t('links.all')} button={<Ellipsis aria-hidden="true" />}
        groups={[
          { entries: meeting.state === 'ended' ? [] : [{ id: 'import', label: t('links.import'), icon: <FileSpreadsheet aria-hidden="true" />, onAct: onImport }] },
          { entries: files },
          { entries: some ? [{ id: 'revoke', label: t('links.revokeall'), icon: <Ban aria-hidden="true" />, danger: true, onAct: () => setAsking(true) }] : [] },
        ]}
      />
      {error ? <ErrorNote error={error} /> : null}
      <Confirm open={asking} onClose={() => setAsking(false)} cancel={t('common.cancel')} act={t('links.revokeall')} title={t('links.revokeall.question')} onAct={revokeAll}>
        <p>{t('links.revokeall.effect')}</p>
      </Confirm>
    </>
  )
}
