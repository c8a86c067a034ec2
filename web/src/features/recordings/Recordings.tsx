// What was recorded of a meeting, for its hosts: who is in it, how long it is kept, and taking it away or deleting it.
import { useQuery } from '@tanstack/react-query'
import { agent, type Meeting } from '@/api'
import { ErrorNote, Loading } from '@/features/frame'
import { useT } from '@/i18n'
import { One } from './One'
import { going } from './told'
import './recordings.css'

const refreshEvery = 10_000

export function Recordings({ meeting }: { meeting: Meeting }) {
  const t = useT()
  const { data, error, refetch } = useQuery({
    queryKey: ['recordings', meeting.id], queryFn: () => agent.recordings(meeting.id),
    refetchInterval: ({ state }) => (meeting.state === 'open' || state.data?.some(going) ? refreshEvery : false),
  })
  return (
    <section className="card links recs" aria-labelledby="recs-title">
      <div className="head"><h2 id="recs-title">{t('recs.title')}</h2></div>
      {error ? <ErrorNote error={error} retry={() => void refetch()} /> : null}
      {data ? data.length > 0 ? <ul className="recs-list">{data.map((one) => <One key={one.id} place={{ meeting: meeting.id, post: meeting.post }} one={one} />)}</ul> : <p className="muted">{t('recs.empty')}</p> : error ? null : <Loading />}
    </section>
  )
}
