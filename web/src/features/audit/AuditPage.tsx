// The audit trail of a post, for its auditors: looked through, read in detail, checked, taken away.
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { RefreshCw } from 'lucide-react'
import { useEffect, useRef, useState, type RefObject } from 'react'
import type { AuditEvent, PostRole } from '@/api'
import { ErrorNote, Pending } from '@/features/frame'
import { AgentFrame, type AgentProps } from '@/features/meeting'
import { useT } from '@/i18n'
import { Button, Heading, recoverFocus, SelectField, useTitle } from '@/ui'
import { Dialog } from '@/ui/overlays'
import { Events } from './Events'
import { EventSheet } from './EventSheet'
import { Export } from './Export'
import { FilterBar } from './FilterBar'
import type { Filters } from './filters'
import { page } from './page'
import type { Names } from './sentence'
import { useAddress, type Place } from './useAddress'
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

interface TrailProps {
  post: string
  posts: readonly PostRole[]
  filters: Filters
  onChange: (place: Place) => void
}

function Trail({ post, posts, filters, onChange }: TrailProps) {
  const t = useT()
  const [open, setOpen] = useState<AuditEvent | null>(null)
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetching, isFetchingNextPage, isPlaceholderData } = useInfiniteQuery({
    queryKey: ['audit', post, filters], initialPageParam: 0, queryFn: ({ pageParam }) => page(post, filters, pageParam), getNextPageParam: (last) => last.next,
    // What one chose it with stays on the page, and the focus on it.
    placeholderData: keepPreviousData,
  })
  const names: Names = Object.assign({}, ...(data?.pages.map((one) => one.names) ?? [])) as Names
  const events = data?.pages.flatMap((one) => one.events) ?? []
  const found = useRef<HTMLDivElement>(null)
  const focusFound = useFocusFound(found, filters, !isPlaceholderData)
  const narrow = (part: Partial<Filters>) => {
    setOpen(null)
    focusFound()
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
      <div ref={found} className="stack">{data ? <Events events={events} names={names} onOpen={setOpen} /> : null}</div>
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

/** What one chose with may be gone with the choice, such as a row in which only its like was asked for. Then the first that is found has the focus. */
function useFocusFound(found: RefObject<HTMLElement | null>, filters: Filters, settled: boolean): () => void {
  const wanted = useRef(false)
  useEffect(() => {
    if (!wanted.current || !settled) return
    wanted.current = false
    recoverFocus(() => found.current?.querySelector<HTMLElement>('.trail button, .empty'))
  }, [found, filters, settled])
  return () => {
    wanted.current = true
  }
}
