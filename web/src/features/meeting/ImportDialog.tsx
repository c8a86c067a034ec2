// A list of guests from a spreadsheet. The server reads it and says what is wrong, line by line; the links are made here,
// all or none, because their secrets are.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { FileSpreadsheet } from 'lucide-react'
import { useState, type SubmitEvent } from 'react'
import { agent, type GuestList, type ListedGuest, type Meeting } from '@/api'
import { ErrorNote } from '@/features/frame'
import { useT, type Translate } from '@/i18n'
import { announce, Button, textOf } from '@/ui'
import { Dialog } from '@/ui/overlays'
import { LifeField } from './LifeField'
import { endOf } from './lives'
import { makeLinks, type Draft } from './making'
import { useProfiles } from './useProfiles'

interface Props {
  meeting: Meeting
  open: boolean
  onClose: () => void
}

export function ImportDialog({ meeting, open, onClose }: Props) {
  const t = useT()
  const check = useMutation({ mutationFn: (file: File) => agent.checkGuestList(meeting.id, file) })
  const close = () => {
    check.reset()
    onClose()
  }
  return (
    <Dialog open={open} onClose={close} closeLabel={t('common.close')} title={t('links.import')}>
      <div className="stack">
        <p className="sm">{t('links.import.says')}</p>
        <label className="btn secondary file">
          <FileSpreadsheet aria-hidden="true" />
          <span>{t(check.data ? 'links.import.another' : 'links.import.choose')}</span>
          <input
            type="file" accept=".csv,text/csv" className="vh"
            onChange={(event) => {
              const file = event.target.files?.[0]
              event.target.value = ''
              if (file) check.mutate(file)
            }}
          />
        </label>
        {check.error ? <ErrorNote error={check.error} /> : null}
        <div role="status">{check.isPending ? t('common.loading') : check.data ? <Findings list={check.data} /> : null}</div>
        {check.data && check.data.errors.length === 0 ? <Preview key={check.submittedAt} meeting={meeting} list={check.data} onDone={close} /> : null}
      </div>
    </Dialog>
  )
}

/** What the server found: mistakes, or what deserves a look. */
function Findings({ list }: { list: GuestList }) {
  const t = useT()
  const doubtful = list.guests.filter(isDoubtful).length
  if (list.errors.length > 0) {
    return (
      <div className="note danger stack-s">
        <p><b>{t('links.import.errors', { n: list.errors.length + (list.more ?? 0) })}</b></p>
        <ul className="line-errors">
          {list.errors.map((error, i) => <li key={i}>{mistake(error, t)}</li>)}
        </ul>
      </div>
    )
  }
  return (
    <div className="stack-s sm">
      <p>{t('links.import.found', { n: list.guests.length })}</p>
      {list.latin ? <p className="note warn"><span>{t('links.import.latin')}</span></p> : null}
      {list.ignored.length > 0 ? <p>{t('links.import.ignored', { columns: list.ignored.join(', ') })}</p> : null}
      {doubtful > 0 ? <p>{t('links.import.doubtful', { n: doubtful })}</p> : null}
    </div>
  )
}

function mistake({ line, column, code }: GuestList['errors'][number], t: Translate): string {
  const what = t(`links.import.error.${code.replace('-', '')}`)
  if (line === 0) return what
  return column ? t('links.import.cell', { n: line, column: t(`links.file.${column}`), what }) : t('links.import.line', { n: line, what })
}

const isDoubtful = (guest: ListedGuest) => Boolean(guest.duplicate_of) || guest.invited
const previewed = 50

function Preview({ meeting, list, onDone }: { meeting: Meeting; list: GuestList; onDone: () => void }) {
  const t = useT()
  const queries = useQueryClient()
  const [skip, setSkip] = useState(true)
  const rules = useProfiles(meeting.post).data?.find((one) => one.id === meeting.profile)?.rules
  const chosen = list.guests.filter((guest) => !skip || !isDoubtful(guest))
  const make = useMutation({
    mutationFn: (drafts: Draft[]) => makeLinks(meeting.id, drafts),
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: ['links', meeting.id] })
      announce(t('links.import.done', { n: made.length }))
      onDone()
    },
  })
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const end = endOf(textOf(new FormData(event.currentTarget), 'life'), meeting)
    if (!make.isPending && chosen.length > 0) make.mutate(chosen.map((guest) => ({ ...draftOf(guest, end), ...(rules?.pin ? { withPIN: true } : {}) })))
  }
  return (
    <form className="stack" onSubmit={submit}>
      {list.guests.some(isDoubtful) ? (
        <label className="check"><input type="checkbox" checked={skip} onChange={(event) => setSkip(event.target.checked)} /><span>{t('links.import.skip')}</span></label>
      ) : null}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by the keyboard (axe: scrollable-region-focusable) */}
      <div className="preview" role="region" aria-label={t('links.import.preview')} tabIndex={0}>
        <table>
          <thead><tr>{(['name', 'organisation', 'label', 'language', 'role', 'pin'] as const).map((column) => <th key={column} scope="col">{t(`links.file.${column}`)}</th>)}</tr></thead>
          <tbody>{list.guests.slice(0, previewed).map((guest) => <Line key={guest.line} guest={guest} left={skip && isDoubtful(guest)} t={t} />)}</tbody>
        </table>
      </div>
      {list.guests.length > previewed ? <p className="sm muted">{t('links.import.rest', { n: list.guests.length - previewed })}</p> : null}
      <LifeField rules={rules} />
      {make.error ? <ErrorNote error={make.error} /> : null}
      <Button kind="primary" big type="submit" busy={make.isPending || chosen.length === 0}>{t('links.import.make', { n: chosen.length })}</Button>
    </form>
  )
}

function Line({ guest, left, t }: { guest: ListedGuest; left: boolean; t: Translate }) {
  const doubt = guest.duplicate_of ? t('links.import.duplicate', { n: guest.duplicate_of }) : guest.invited ? t('links.import.invited') : ''
  return (
    <tr className={left ? 'left' : ''}>
      <th scope="row"><bdi>{guest.name}</bdi>{doubt ? <small>{doubt}</small> : null}</th>
      <td><bdi>{guest.organisation}</bdi></td>
      <td><bdi>{guest.label}</bdi></td>
      <td>{guest.language}</td>
      <td>{guest.role === 'observer' ? t('role.observer') : ''}</td>
      <td>{guest.pin ? t('links.file.yes') : ''}</td>
    </tr>
  )
}

function draftOf(guest: ListedGuest, end: string): Draft {
  const { name, organisation, label, language, role, pin } = guest
  return {
    kind: 'personal', guest_name: name, expires_at: end, withPIN: pin, role,
    ...(organisation ? { organisation } : {}), ...(label ? { label } : {}), ...(language ? { language } : {}),
  }
}
