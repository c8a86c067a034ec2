// What the security profile has kept of the chat, for the hosts: read, taken away, deleted.
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { Download, FileBraces, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { agent, type KeptMessage, type Meeting } from '@/api'
import { ErrorNote, Loading } from '@/features/frame'
import { useLang, useT } from '@/i18n'
import { momentThere } from '@/i18n/dates'
import { exactMoment } from '@/i18n/stamps'
import { announce, Button, recoverFocus } from '@/ui'
import { Confirm, MenuButton } from '@/ui/overlays'
import { download } from './exporting'
import { keptFileName, keptJSON, keptText, type Place } from './keptFile'
import { usePlace } from './usePlace'
import './kept.css'

export function KeptChat({ meeting, keeps }: { meeting: Meeting; keeps: boolean }) {
  const t = useT()
  const key = ['kept', meeting.id]
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: key, initialPageParam: 0, queryFn: ({ pageParam }) => agent.keptChat(meeting.id, pageParam),
    getNextPageParam: (last) => (last.more ? last.messages.at(-1)?.seq : undefined),
  })
  const place = usePlace(meeting.post)
  const messages = data?.pages.flatMap((page) => page.messages) ?? []
  const { total = 0, days = 0 } = data?.pages[0] ?? {}
  // Where nothing is kept there is nothing to say.
  if (!keeps && total === 0 && !error) return null
  return (
    <section className="card links kept" aria-labelledby="kept-title">
      <div className="head">
        <h2 id="kept-title">{t('kept.title')}</h2>
        {total > 0 ? <Acts meeting={meeting} total={total} days={days} place={place} queryKey={key} /> : null}
      </div>
      {error ? <ErrorNote error={error} retry={() => void refetch()} /> : null}
      {data ? <p className="sm muted">{t(total > 0 ? 'kept.says' : 'kept.empty', { n: total, days })}</p> : error ? null : <Loading />}
      {messages.length > 0 ? <ol className="kept-list">{messages.map((message) => <Line key={message.seq} message={message} place={place} />)}</ol> : null}
      {hasNextPage ? <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>{t('kept.more')}</Button> : null}
    </section>
  )
}

function Line({ message, place }: { message: KeptMessage; place: Place | undefined }) {
  const t = useT()
  const lang = useLang()
  const at = new Date(message.at)
  const there = place ? momentThere(at, place.zone, lang) : null
  return (
    <li>
      <p className="by">
        <b><bdi>{message.from_name}</bdi></b> <span className="muted">{t(`kept.role.${message.role}`)}</span>
        <time className="num muted" dateTime={message.at}>{exactMoment(at, lang)}</time>
        {there && place ? <span className="num muted">(<bdi>{place.name}</bdi> : {there})</span> : null}
      </p>
      <p className="text" dir="auto"><bdi>{message.text}</bdi></p>
    </li>
  )
}

interface ActsProps { meeting: Meeting; total: number; days: number; place: Place | undefined; queryKey: readonly string[] }

function Acts({ meeting, total, days, place, queryKey }: ActsProps) {
  const t = useT()
  const lang = useLang()
  const queries = useQueryClient()
  const [asking, setAsking] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const save = (ending: 'txt' | 'json') => {
    setError(null)
    void allKept(meeting.id).then((all) => {
      const name = keptFileName(meeting.title, new Date(), ending, t)
      if (ending === 'txt') download(name, keptText(meeting.title, all, days, place, t, lang), 'text/plain')
      else download(name, keptJSON({ id: meeting.id, title: meeting.title }, all), 'application/json')
      announce(t('kept.exported'))
    }, setError)
  }
  const remove = async () => {
    setError(null)
    try {
      const { messages } = await agent.deleteKeptChat(meeting.id)
      await queries.invalidateQueries({ queryKey })
      announce(t('kept.deleted', { n: messages }))
    } catch (problem) {
      setError(problem)
    }
    recoverFocus()
  }
  return (
    <div className="row">
      <MenuButton
        label={t('kept.acts')} className="btn secondary" button={<><Download aria-hidden="true" />{t('kept.acts')}</>}
        groups={[{ entries: [
          { id: 'txt', label: t('kept.export.text'), icon: <Download aria-hidden="true" />, onAct: () => save('txt') },
          { id: 'json', label: t('kept.export.json'), icon: <FileBraces aria-hidden="true" />, onAct: () => save('json') },
        ] }]}
      />
      {meeting.role === 'host' ? <Button kind="quiet" icon={<Trash2 aria-hidden="true" />} onClick={() => setAsking(true)}>{t('kept.delete')}</Button> : null}
      {error ? <ErrorNote error={error} /> : null}
      <Confirm open={asking} onClose={() => setAsking(false)} cancel={t('common.cancel')} act={t('kept.delete')} title={t('kept.delete.ask', { n: total })} onAct={remove}>
        <p>{t('kept.delete.effect')}</p>
      </Confirm>
    </div>
  )
}

/** Everything that is kept, stretch by stretch; the server writes down who took it away. */
async function allKept(meetingID: string): Promise<KeptMessage[]> {
  const all: KeptMessage[] = []
  for (;;) {
    const { messages, more } = await agent.exportKeptChat(meetingID, all.at(-1)?.seq ?? 0)
    all.push(...messages)
    if (!more || messages.length === 0) return all
  }
}
