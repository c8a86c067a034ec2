import { CalendarPlus } from 'lucide-react'
import { useState } from 'react'
import { agent, type Meeting } from '@/api'
import { ErrorNote } from '@/features/frame'
import { useT } from '@/i18n'
import { announce, Button } from '@/ui'
import { withAddress } from './calendarFile'
import { download } from './exporting'
import { keptFileName } from './keptFile'

interface Props {
  meeting: Meeting
  /** A guest link to put into the file; without it the file leads to the agents' page. */
  address?: string
}

/** Has the meeting saved as a calendar file; nothing where it has no start. */
export function CalendarButton({ meeting, address }: Props) {
  const t = useT()
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  if (!meeting.starts_at) return null
  const save = async () => {
    setBusy(true)
    setError(null)
    try {
      const file = await agent.calendarFile(meeting.id, address ? 'guest' : 'agent')
      download(keptFileName(meeting.title, new Date(meeting.starts_at ?? ''), 'ics', t, t('calendar.file')), address ? withAddress(file, address) : file, 'text/calendar')
      announce(t('calendar.saved'))
    } catch (problem) {
      setError(problem)
    }
    setBusy(false)
  }
  return (
    <>
      <Button icon={<CalendarPlus aria-hidden="true" />} busy={busy} onClick={() => void save()}>{t(address ? 'calendar.guest' : 'calendar.add')}</Button>
      {address ? <p className="sm muted">{t('calendar.guest.says')}</p> : null}
      {error ? <ErrorNote error={error} /> : null}
    </>
  )
}
