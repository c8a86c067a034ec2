// One screen for each state of the visit.
import { lazy, Suspense, useEffect, useState } from 'react'
import { loadGuestChannel, loadProofs, type GuestView } from '@/api'
import { obstacle } from '@/call'
import { Frame, Loading, Obstructed, useAdmissionSign } from '@/features/frame'
import { loadCallWords, offerLang, useT } from '@/i18n'
import { patiently, useStore } from '@/ui'
import { EntryPage } from './EntryPage'
import type { Typed } from './typed'
import { GuestVisit, type Keep, type Visit } from './visit'

// The call travels while the guest types, the waiting room with it.
const withWords = <T,>(load: () => Promise<T>) => patiently(() => Promise.all([load(), loadCallWords()])).then(([module]) => module)
const loadCall = () => withWords(() => import('@/features/stage'))
const loadEndings = () => withWords(() => import('./endings'))
const loadWaiting = () => withWords(() => import('@/features/waiting'))
const CallPage = lazy(() => loadCall().then((module) => ({ default: module.CallPage })))
const Ending = lazy(() => loadEndings().then((module) => ({ default: module.Ending })))
const Refused = lazy(() => loadEndings().then((module) => ({ default: module.Refused })))
const WaitingPage = lazy(() => loadWaiting().then((module) => ({ default: module.WaitingPage })))

interface Props {
  linkID: string
  keep: Keep
  typed: Typed
}

export function GuestApp(props: Props) {
  const hindrance = obstacle(window)
  return hindrance ? <Suspense fallback={<Coming />}><Obstructed why={hindrance} /></Suspense> : <Visited {...props} />
}

function Visited({ linkID, keep, typed }: Props) {
  const [visit] = useState(() => new GuestVisit(linkID, keep))
  const state = useStore(visit.state)
  useEffect(() => {
    void visit.start()
    return visit.dispose
  }, [visit])
  usePrefetch(state.at === 'guest')
  useLinkLanguage(state.at === 'guest' ? state.view.link.language : undefined)
  useAdmissionSign(state.at === 'guest' ? state.view.status : '')
  return <Suspense fallback={<Coming />}><Screen visit={visit} state={state} typed={typed} /></Suspense>
}

function Waiting({ visit, view }: { visit: GuestVisit; view: GuestView }) {
  const t = useT()
  return <WaitingPage visit={visit} view={view} bearer={visit.session ?? ''} kept={t(view.binding.bound ? 'lobby.reload' : 'lobby.unbound')} linkEnds={view.link.expires_at} />
}

/** While the next screen travels: the frame stays. */
function Coming() {
  const t = useT()
  return <Frame subtitle={t('frame.meeting')}><main id="main"><Loading /></main></Frame>
}

function Screen({ visit, state, typed }: { visit: GuestVisit; state: Visit; typed: Typed }) {
  const entry = <EntryPage visit={visit} view={state.at === 'guest' ? state.view : null} typed={typed} />
  if (state.at === 'starting') return entry
  if (state.at === 'refused') return <Refused problem={state.problem} retry={() => void visit.start()} />
  const { view, ended } = state
  // A PIN that is asked of somebody who has knocked before is asked where there is a field for it.
  if ((view.status === 'entry' && ended !== 'ended') || (view.status === 'withdrawn' && view.link.pin)) return entry
  if (view.status === 'waiting') return <Waiting visit={visit} view={view} />
  if (view.status === 'admitted' && ended === null) return <CallPage title={view.meeting.title} caller={visit} onOver={(why) => void visit.callOver(why)} />
  return <Ending visit={visit} view={view} ended={ended} />
}

/** The page opens in the language that the host chose for the link, unless the guest has chosen one. */
function useLinkLanguage(tag: string | undefined): void {
  useEffect(() => {
    if (tag) void offerLang(tag)
  }, [tag])
}

/** Once the first page is complete, so that nothing competes with it on a weak link. */
function usePrefetch(ready: boolean): void {
  useEffect(() => {
    if (!ready) return
    const timer = setTimeout(() => {
      // What does not arrive now is asked for again when it is needed.
      void Promise.allSettled([loadProofs(), loadWaiting(), loadGuestChannel(), loadEndings(), loadCall()])
    }, 300)
    return () => clearTimeout(timer)
  }, [ready])
}
