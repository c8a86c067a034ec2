// Every recording that one has something to do with: of meetings that one hosts, shared with one, of posts that one administers.
import { useInfiniteQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { agent, type Account, type FoundRecording } from '@/api'
import { ErrorNote, Pending } from '@/features/frame'
import { AgentFrame, type AgentProps } from '@/features/meeting'
import { useT } from '@/i18n'
import { Button, Field, Heading, SelectField, useTitle } from '@/ui'
import { asked, everything, narrows, type Wanted } from './finding'
import { One } from './One'
import { going } from './told'
import './recordings.css'

const refreshEvery = 10_000
const typingPause = 300

export function RecordingsPage(frame: AgentProps) {
  const t = useT()
  const [wanted, setWanted] = useState(everything)
  const settled = useSettled(wanted)
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['recordings', 'found', settled], initialPageParam: '', queryFn: ({ pageParam }) => agent.findRecordings(asked(settled, pageParam)),
    getNextPageParam: (last) => last.next, placeholderData: (before) => before,
    refetchInterval: ({ state }) => (state.data?.pages.some((page) => page.recordings.some(({ recording }) => going(recording))) ? refreshEvery : false),
  })
  const title = t('recs.title')
  useTitle(title)
  const found = data?.pages.flatMap((page) => page.recordings)
  return (
    <AgentFrame {...frame}>
      <main id="main" className="meetings">
        {found ? (
          <>
            <div className="stack-s">
              <p className="sm"><a href="/">{t('meetings.title')}</a></p>
              <Heading>{title}</Heading>
              <p className="muted">{t('recs.body')}</p>
            </div>
            <FilterBar account={frame.account} wanted={wanted} onChange={(part) => setWanted({ ...wanted, ...part })} />
            {error ? <ErrorNote error={error} retry={() => void refetch()} /> : null}
            <Found all={found} account={frame.account} narrowed={narrows(settled)} />
            {hasNextPage ? <div className="row"><Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>{t('recs.more')}</Button></div> : null}
          </>
        ) : <Pending title={title} error={error} retry={() => void refetch()} />}
      </main>
    </AgentFrame>
  )
}

/** What was chosen last, once nothing was typed for a moment. */
function useSettled(wanted: Wanted): Wanted {
  const [settled, setSettled] = useState(wanted)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(wanted), typingPause)
    return () => clearTimeout(timer)
  }, [wanted])
  return settled
}

function Found({ all, account, narrowed }: { all: readonly FoundRecording[]; account: Account; narrowed: boolean }) {
  const t = useT()
  if (all.length === 0) return <p className="card empty">{t(narrowed ? 'recs.nothing' : 'recs.none')}</p>
  const posts = account.posts.length > 1
  return (
    <ul className="recs-list found" aria-label={t('recs.title')}>
      {all.map((of) => <One key={of.recording.id} place={{ meeting: of.meeting, post: of.post }} one={of.recording} of={of} post={posts ? of.post_name : undefined} />)}
    </ul>
  )
}

function FilterBar({ account, wanted, onChange }: { account: Account; wanted: Wanted; onChange: (part: Partial<Wanted>) => void }) {
  const t = useT()
  const administers = account.posts.some(({ role }) => role === 'administrator')
  const kinds = ['hosted', 'shared', ...(administers ? ['post'] : [])]
  return (
    <div className="stack-s" role="search" aria-label={t('recs.filters')}>
      <div className="recs-filters">
        <Field label={t('recs.filter.title')} type="search" maxLength={200} autoComplete="off" value={wanted.title} onChange={(event) => onChange({ title: event.target.value })} />
        <SelectField label={t('recs.filter.of')} value={wanted.of} onChange={(event) => onChange({ of: event.target.value })}>
          <option value="">{t('recs.filter.of.all')}</option>
          {kinds.map((kind) => <option key={kind} value={kind}>{t(`recs.filter.of.${kind}`)}</option>)}
        </SelectField>
        <Field label={t('recs.filter.from')} type="date" value={wanted.from} max={wanted.to || undefined} onChange={(event) => onChange({ from: event.target.value })} />
        <Field label={t('recs.filter.to')} type="date" value={wanted.to} min={wanted.from || undefined} onChange={(event) => onChange({ to: event.target.value })} />
      </div>
      <div className="row">
        <label className="check"><input type="checkbox" checked={wanted.held} onChange={(event) => onChange({ held: event.target.checked })} /><span>{t('recs.filter.held')}</span></label>
        {narrows(wanted) ? <Button onClick={() => onChange(everything)}>{t('recs.filter.clear')}</Button> : null}
      </div>
    </div>
  )
}
