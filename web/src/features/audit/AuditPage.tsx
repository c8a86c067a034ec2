// The audit trail of a post, for its auditors: looked through, read in detail, checked, taken away.
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { RefreshCw } from 'lucide-react'
import { useEffect, useState } from 'react'
import { agent, type AuditEvent, type PostRole } from '@/api'
import { ErrorNote, Pending } from '@/features/frame'
import { AgentFrame, type AgentProps } from '@/features/meeting'
import { useLang, useT, Words } from '@/i18n'
import { day } from '@/i18n/dates'
import { localeOf } from '@/i18n/languages'
import { Button, Heading, SelectField, useTitle } from '@/ui'
import { Dialog } from '@/ui/overlays'
import { EventSheet } from './EventSheet'
import { Export } from './Export'
import { FilterBar } from './FilterBar'
import { asked, readFilters, writeFilters, type Filters } from './filters'
import { sentenceOf, whomOf, whoOf, type Names } from './sentence'
import { Verification } from './Verification'
import './audit.css'

export function AuditPage(frame: AgentProps) {
  const t = useT()
  useTitle(t('audit.title'))
  const posts = frame.account.posts.filter(({ role }) => role === 'auditor')
  const [{ post, filters }, go] = useAddress(posts)
  return (
    <AgentFrame {...frame}>
      <main id="main" className="meetings">
        {post ? <Trail key={post} post={post} posts={posts} filters={filters} onChange={go} /> : (
          <>
            <Heading>{t('audit.title')}</Heading>
            <p className="card empty">{t('audit.none')}</p>
          </>
        )}
      </main>
    </AgentFrame>
  )
}

interface Place {
  post: string
  filters: Filters
}

/** The post and the filters, as they stand in the page's address: they can be sent to somebody, and "back" undoes. */
function useAddress(posts: readonly PostRole[]): [Place, (place: Place) => void] {
  const read = (): Place => {
    const wanted = new URLSearchParams(location.search).get('post')
    return { post: (posts.find(({ id }) => id === wanted) ?? posts[0])?.id ?? '', filters: readFilters(location.search) }
  }
  const [place, setPlace] = useState(read)
  useEffect(() => {
    const back = () => setPlace(read())
    addEventListener('popstate', back)
    return () => removeEventListener('popstate', back)
  })
  return [place, (next) => {
    // A date comes digit by digit: "back" does not undo each of them.
    const typed = next.filters.from !== place.filters.from || next.filters.to !== place.filters.to
    history[typed ? 'replaceState' : 'pushState'](null, '', `${location.pathname}${writeFilters(next.filters, posts.length > 1 ? next.post : '')}`)
    setPlace(next)
  }]
}

/** Pages that a filter left empty are passed over, some at a time. */
const emptyPages = 20

async function page(post: string, filters: Filters, before: number) {
  let from = before
  for (let i = 0; ; i++) {
    const found = await agent.audit(post, asked(filters), from)
    if (found.events.length > 0 || !found.next || i === emptyPages) return found
    from = found.next
  }
}

interface TrailProps {
  post: string
  posts: readonly PostRole[]
  filters: Filters
  onChange: (place: Place) => void
}

function Trail({ post, posts, filters, onChange }: TrailProps) {
  const t = useT()
  const [open, setOpen] = useState<AuditEvent | null>(null)
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetching, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['audit', post, filters], initialPageParam: 0, queryFn: ({ pageParam }) => page(post, filters, pageParam), getNextPageParam: (last) => last.next,
    // What one chose it with stays on the page, and the focus on it.
    placeholderData: keepPreviousData,
  })
  const names: Names = Object.assign({}, ...(data?.pages.map((one) => one.names) ?? [])) as Names
  const events = data?.pages.flatMap((one) => one.events) ?? []
  const narrow = (part: Partial<Filters>) => {
    setOpen(null)
    onChange({ post, filters: { ...filters, ...part } })
  }
  const known = data ?? error
  if (!known) return <Pending title={t('audit.title')} error={null} />
  return (
    <>
      <div className="stack-s">
        <p className="sm"><a href="/">{t('meetings.title')}</a></p>
        <div className="head">
          <Heading>{t('audit.title')}</Heading>
          {data ? <Export post={post} filters={filters} read={page} /> : null}
        </div>
        <p className="muted">{t('audit.body')}</p>
      </div>
      {error && !data ? null : <Verification post={post} />}
      {posts.length > 1 ? (
        <SelectField label={t('posts.post')} className="post-filter" value={post} onChange={(event) => onChange({ post: event.target.value, filters })}>
          {posts.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
        </SelectField>
      ) : null}
      <FilterBar filters={filters} names={names} onChange={narrow} />
      {error ? <ErrorNote error={error} retry={() => void refetch()} /> : null}
      {data ? <Days events={events} names={names} onOpen={setOpen} /> : null}
      <div className="row">
        {hasNextPage ? <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>{t('audit.more')}</Button> : null}
        <Button kind="quiet" icon={<RefreshCw aria-hidden="true" />} busy={isFetching && !isFetchingNextPage} onClick={() => void refetch()}>{t('audit.refresh')}</Button>
      </div>
      <Dialog title={t('audit.event', { seq: open?.seq ?? 0 })} open={open !== null} onClose={() => setOpen(null)} closeLabel={t('common.close')}>
        {open ? <EventSheet event={open} names={names} onOnly={narrow} /> : null}
      </Dialog>
    </>
  )
}

/** The events, newest first, under the days of the reader. */
function Days({ events, names, onOpen }: { events: readonly AuditEvent[]; names: Names; onOpen: (event: AuditEvent) => void }) {
  const t = useT()
  const lang = useLang()
  if (events.length === 0) return <p className="card empty">{t('audit.empty')}</p>
  const days = new Map<string, AuditEvent[]>()
  for (const event of events) {
    const at = new Date(event.time)
    const name = `${day(at, lang)} ${new Intl.DateTimeFormat(localeOf(lang), { year: 'numeric' }).format(at)}`
    days.set(name, [...(days.get(name) ?? []), event])
  }
  return (
    <>
      {[...days].map(([name, those]) => (
        <section key={name} aria-label={name}>
          <h2>{name}</h2>
          <ol className="card trail">{those.map((event) => <Row key={event.seq} event={event} names={names} onOpen={() => onOpen(event)} />)}</ol>
        </section>
      ))}
    </>
  )
}

function Row({ event, names, onOpen }: { event: AuditEvent; names: Names; onOpen: () => void }) {
  const t = useT()
  const lang = useLang()
  const at = new Date(event.time)
  return (
    <li className={event.act.endsWith('.refused') ? 'refused' : ''}>
      <time dateTime={event.time}>{new Intl.DateTimeFormat(localeOf(lang), { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(at)}</time>
      <div>
        <p><Sentence event={event} names={names} /></p>
        {event.meeting && names[event.meeting] ? <small><bdi>{names[event.meeting]}</bdi></small> : null}
      </div>
      <Button kind="quiet" aria-label={t('audit.event.details', { seq: event.seq })} onClick={onOpen}>{t('audit.details')}</Button>
    </li>
  )
}

function Sentence({ event, names }: { event: AuditEvent; names: Names }) {
  const t = useT()
  const id = sentenceOf(event.act)
  if (t(id) === id) return event.act // of a newer server
  return <Words id={id} values={{ who: <bdi>{whoOf(event, names, t)}</bdi>, whom: <bdi>{whomOf(event, names, t)}</bdi> }} />
}
