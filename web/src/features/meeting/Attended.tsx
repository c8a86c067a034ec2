// Who came, for the hosts: read, and taken away as a table.
import { useInfiniteQuery } from '@tanstack/react-query'
import { Download } from 'lucide-react'
import { useState } from 'react'
import { agent, type Meeting, type Visit } from '@/api'
import { ErrorNote, Loading } from '@/features/frame'
import { useLang, useT, Words } from '@/i18n'
import { momentThere } from '@/i18n/dates'
import { exactMoment } from '@/i18n/stamps'
import { announce, Button } from '@/ui'
import { attendanceFile, attendanceFileName } from './attendanceFile'
import { download } from './exporting'
import { usePlace } from './usePlace'
import { There } from './There'
import './attended.css'

const refreshEvery = 10_000

export function Attended({ meeting }: { meeting: Meeting }) {
  const t = useT()
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['attendance', meeting.id], initialPageParam: 0, queryFn: ({ pageParam }) => agent.attendance(meeting.id, pageParam),
    getNextPageParam: (last, all) => {
      const read = all.reduce((sum, page) => sum + page.visits.length, 0)
      return last.visits.length > 0 && read < last.total ? read : undefined
    },
    refetchInterval: meeting.state === 'open' ? refreshEvery : false,
  })
  const visits = data?.pages.flatMap((page) => page.visits) ?? []
  return (
    <section className="card links" aria-labelledby="attended-title">
      <div className="head">
        <h2 id="attended-title">{t('attended.title')}</h2>
        {visits.length > 0 ? <Export meeting={meeting} /> : null}
      </div>
      {error ? <ErrorNote error={error} retry={() => void refetch()} /> : null}
      {data ? visits.length > 0 ? <Table visits={visits} post={meeting.post} /> : <p className="muted">{t('attended.empty')}</p> : error ? null : <Loading />}
      {hasNextPage ? <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>{t('attended.more')}</Button> : null}
    </section>
  )
}

function Table({ visits, post }: { visits: readonly Visit[]; post: string }) {
  const t = useT()
  const lang = useLang()
  const place = usePlace(post)
  const elsewhere = place && visits[0] && momentThere(new Date(visits[0].came_at), place.zone, lang) !== null
  return (
    <>
    {elsewhere ? <p className="sm muted"><Words id="attended.there" values={{ post: <bdi>{place.name}</bdi> }} /></p> : null}
    <table className="link-table attended">
      <thead><tr><th scope="col">{t('attended.name')}</th><th scope="col">{t('attended.role')}</th><th scope="col">{t('attended.came')}</th><th scope="col">{t('attended.left')}</th></tr></thead>
      <tbody>
        {visits.map((visit) => (
          <tr key={`${visit.came_at} ${visit.name}`}>
            <th scope="row"><bdi>{visit.name}</bdi>{visit.organisation ? <small><bdi>{visit.organisation}</bdi></small> : null}</th>
            <td>{t(`kept.role.${visit.role}`)}</td>
            <td><span className="where">{t('attended.came')} </span><Moment at={visit.came_at} post={post} /></td>
            <td><span className="where">{t('attended.left')} </span>{visit.left_at ? <Moment at={visit.left_at} post={post} /> : <span className="chip">{t(visit.present ? 'attended.present' : 'attended.unknown')}</span>}</td>
          </tr>
        ))}
      </tbody>
    </table>
    </>
  )
}

/** In the reader's zone, and the post's where its clocks show something else. */
function Moment({ at, post }: { at: string; post: string }) {
  const lang = useLang()
  return <><time className="num" dateTime={at}>{exactMoment(new Date(at), lang)}</time><There at={at} post={post} small /></>
}

function Export({ meeting }: { meeting: Meeting }) {
  const t = useT()
  const lang = useLang()
  const place = usePlace(meeting.post)
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const save = async () => {
    setBusy(true)
    setError(null)
    try {
      download(attendanceFileName(meeting.title, new Date(), t), attendanceFile(await everybody(meeting.id), place, t, lang))
      announce(t('attended.exported'))
    } catch (problem) {
      setError(problem)
    }
    setBusy(false)
  }
  return (
    <div className="row">
      <Button icon={<Download aria-hidden="true" />} busy={busy} onClick={() => void save()}>{t('attended.export')}</Button>
      {error ? <ErrorNote error={error} /> : null}
    </div>
  )
}

async function everybody(meetingID: string): Promise<Visit[]> {
  const all: Visit[] = []
  for (;;) {
    const { visits, total } = await agent.attendance(meetingID, all.length)
    all.push(...visits)
    if (visits.length === 0 || all.length >= total) return all
  }
}
