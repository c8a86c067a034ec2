// Who came, as a table that a host takes away. Names are what guests typed: they calculate nothing (exporting.ts) and turn
// no direction (keptFile.ts).
import type { Visit } from '@/api'
import type { Lang, Translate } from '@/i18n'
import { csv } from './exporting'
import { inert, keptFileName, type Place } from './keptFile'

/** A line for each visit, oldest first; times in the post's zone, as spreadsheets read them, and in UTC. */
export function attendanceFile(visits: readonly Visit[], place: Place | undefined, t: Translate, lang: Lang): string {
  const zone = place?.zone ?? 'UTC'
  const columns = [t('attended.name'), t('attended.organisation'), t('attended.role'), `${t('attended.came')} (${zone})`, `${t('attended.left')} (${zone})`, `${t('attended.came')} (UTC)`, `${t('attended.left')} (UTC)`]
  const rows = visits.toSorted((a, b) => a.came_at.localeCompare(b.came_at)).map((visit) => {
    const gone = visit.left_at
    const left = gone ? clock(gone, zone) : t(visit.present ? 'attended.present' : 'attended.unknown')
    return [inert(visit.name), inert(visit.organisation ?? ''), t(`kept.role.${visit.role}`), clock(visit.came_at, zone), left, clock(visit.came_at, 'UTC'), gone ? clock(gone, 'UTC') : '']
  })
  return csv([columns, ...rows], lang)
}

/** Such as 2027-03-02 10:00:05. */
function clock(at: string, timeZone: string): string {
  return new Intl.DateTimeFormat('sv', { dateStyle: 'short', timeStyle: 'medium', timeZone }).format(new Date(at))
}

export function attendanceFileName(title: string, at: Date, t: Translate): string {
  return keptFileName(title, at, 'csv', t, t('attended.file'))
}
