// An agent's pages: a path, a page. Links inside are plain <a>; useGo keeps them from reloading everything.
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useEffect, useState, type MouseEvent, type ReactNode } from 'react'
import { agent, isProblem, type Account } from '@/api'
import { ErrorNote, Loading, PlainPage } from '@/features/frame'
import { administeredBy, CreatePage, MeetingPage, MeetingsPage } from '@/features/meeting'
import { useNotices, type Notices } from '@/features/notices'
import { PasswordPage, SetupPage, SignInPage } from '@/features/signin'
import { useT } from '@/i18n'
import { loadAdminWords } from '@/i18n/admin'
import { loadFilmWords } from '@/i18n/film'
import { loadRecordingWords } from '@/i18n/recordings'
import { patiently } from '@/ui'

const HostCall = lazy(() => patiently(() => import('@/features/host')).then((module) => ({ default: module.HostCall })))
const ProfilesPage = lazy(() => patiently(() => import('@/features/profiles')).then((module) => ({ default: module.ProfilesPage })))
const ProfilePage = lazy(() => patiently(() => import('@/features/profiles')).then((module) => ({ default: module.ProfilePage })))

// With the words that only they need.
const AccountsPage = lazy(() => patiently(() => Promise.all([import('@/features/accounts'), loadAdminWords()])).then(([module]) => ({ default: module.AccountsPage })))
const HealthPage = lazy(() => patiently(() => Promise.all([import('@/features/health'), loadAdminWords()])).then(([module]) => ({ default: module.HealthPage })))
const AuditPage = lazy(() => patiently(() => Promise.all([import('@/features/audit'), loadAdminWords()])).then(([module]) => ({ default: module.AuditPage })))
const OpenPage = lazy(() => patiently(() => Promise.all([import('@/features/opening'), loadRecordingWords()])).then(([module]) => ({ default: module.OpenPage })))
const RecordingsPage = lazy(() => patiently(() => Promise.all([import('@/features/recordings'), loadRecordingWords()])).then(([module]) => ({ default: module.RecordingsPage })))
const OwnPage = lazy(() => patiently(() => import('@/features/own')).then((module) => ({ default: module.OwnPage })))
const FilmPage = lazy(() => patiently(() => Promise.all([import('@/features/film'), loadFilmWords()])).then(([module]) => ({ default: module.FilmPage })))
const Posts = lazy(() => patiently(() => import('@/features/posts')).then((module) => ({ default: module.Posts })))

const client = new QueryClient({
  defaultOptions: { queries: { retry: (count, error) => isProblem(error, 'offline', 'unavailable') && count < 3, staleTime: 5_000 } },
})

type Go = (path: string) => void

/** It is a page of its own, with a policy of its own (web/embed.go): nobody comes or goes without a load. */
const openingPage = '/recordings/open'

export function AgentApp({ path, code }: { path: string; code: string }) {
  const [at, go] = usePath(path)
  const oneTime = at === path ? code : ''
  return (
    <QueryClientProvider client={client}>
      <div className="pages" onClickCapture={(event) => follow(event, go)}>
        <Page at={at} go={go} code={oneTime} />
      </div>
    </QueryClientProvider>
  )
}

function Page({ at, go, code }: { at: string; go: Go; code: string }) {
  // Whoever came in by a one-time link may choose a password without knowing one.
  const [byCode, setByCode] = useState(false)
  const signedIn = (account: Account, once: boolean) => {
    client.clear()
    setByCode(once)
    client.setQueryData(['session'], account)
    go(wantedPath())
  }
  if (at === '/signin') return <SignInPage code={code} onSignedIn={signedIn} />
  if (at === '/setup') return <SetupPage code={code} onSignedIn={(account) => signedIn(account, false)} />
  // For whoever has the files: no account is needed.
  if (at === openingPage) return <Suspense fallback={<Loading />}><OpenPage /></Suspense>
  return <Account>{(account) => <Within at={at} go={go} account={account} byCode={byCode} />}</Account>
}

interface WithinProps {
  at: string
  go: Go
  account: Account
  byCode: boolean
}

/** Whatever page it is, the agent is told of those who wait; in a call, by the call. */
function Within(props: WithinProps) {
  const notices = useNotices(props.go)
  const meetingID = /^\/m\/([A-Za-z0-9_-]+)$/.exec(props.at)?.[1]
  if (meetingID) return <Suspense fallback={<Loading />}><HostCall key={meetingID} meetingID={meetingID} notices={notices} /></Suspense>
  return <AgentPage {...props} notices={notices} />
}

function AgentPage({ at, go, account, byCode, notices }: WithinProps & { notices: Notices }) {
  const t = useT()
  const signOut = () => {
    void agent.signOut().catch(() => undefined).finally(() => {
      client.clear()
      location.assign('/signin')
    })
  }
  const frame = { account, onSignOut: signOut, go, notices }
  if (at === '/' || at === '/meetings') return <MeetingsPage {...frame} />
  if (at === '/account') return <Suspense fallback={<Loading />}><OwnPage {...frame} /></Suspense>
  if (at === '/password') return <PasswordPage {...frame} first={byCode} onDone={() => go('/')} />
  const administers = administeredBy(account).length > 0
  if (at === '/posts' || at.startsWith('/posts/')) return <Suspense fallback={<Loading />}><Posts at={at} {...frame} /></Suspense>
  if (at === '/health') return <Suspense fallback={<Loading />}><HealthPage {...frame} /></Suspense>
  if (at === '/audit') return <Suspense fallback={<Loading />}><AuditPage {...frame} /></Suspense>
  if (at === '/recordings') return <Suspense fallback={<Loading />}><RecordingsPage {...frame} /></Suspense>
  if (at === '/accounts' && administers) return <Suspense fallback={<Loading />}><AccountsPage {...frame} /></Suspense>
  const [, post, profileID] = /^\/profiles\/([A-Za-z0-9_-]+)\/([a-z0-9-]+)$/.exec(at) ?? []
  if (post && profileID && administers) return <Suspense fallback={<Loading />}><ProfilePage key={at} post={post} profileID={profileID} {...frame} /></Suspense>
  if (at === '/profiles' && administers) return <Suspense fallback={<Loading />}><ProfilesPage {...frame} /></Suspense>
  if (at === '/meetings/new') return <CreatePage {...frame} onCreated={(meeting) => go(`/meetings/${meeting.id}`)} />
  const [, of, recording] = /^\/recordings\/([A-Za-z0-9_-]+)\/([A-Za-z0-9_-]+)$/.exec(at) ?? []
  if (of && recording) return <Suspense fallback={<Loading />}><FilmPage key={at} meetingID={of} recordingID={recording} {...frame} /></Suspense>
  const meetingID = /^\/meetings\/([A-Za-z0-9_-]+)$/.exec(at)?.[1]
  if (meetingID) return <MeetingPage key={meetingID} meetingID={meetingID} {...frame} />
  return <PlainPage subtitle={t('frame.agents')} title={t('frame.nopage')}><p><a href="/">{t('meetings.title')}</a></p></PlainPage>
}

/** Asks who it is; whoever it is not goes to sign in and comes back here. */
function Account({ children }: { children: (account: Account) => ReactNode }) {
  const t = useT()
  const { data, error, refetch } = useQuery({ queryKey: ['session'], queryFn: agent.session, staleTime: 60_000 })
  const unknown = isProblem(error, 'unauthenticated')
  useEffect(() => {
    if (unknown) location.replace(`/signin?to=${encodeURIComponent(location.pathname)}`)
  }, [unknown])
  if (data) return children(data)
  if (error && !unknown) return <PlainPage subtitle={t('frame.agents')} title={t('end.nostart')}><ErrorNote error={error} retry={() => void refetch()} /></PlainPage>
  return <Loading />
}

/** Where one wanted to go before signing in; only a path of this site. */
function wantedPath(): string {
  const to = new URLSearchParams(location.search).get('to') ?? '/'
  return /^\/(?!\/)[A-Za-z0-9_\-/]*$/.test(to) ? to : '/'
}

function usePath(first: string): [string, Go] {
  const [at, setAt] = useState(first)
  useEffect(() => {
    const back = () => setAt(location.pathname.replace(/\/+$/, '') || '/')
    addEventListener('popstate', back)
    return () => removeEventListener('popstate', back)
  }, [])
  const go = (path: string) => {
    history.pushState(null, '', path)
    scrollTo(0, 0)
    setAt(path)
  }
  return [at, go]
}

function follow(event: MouseEvent, go: Go): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  const link = (event.target as Element).closest('a')
  if (!link || link.target || link.origin !== location.origin || link.hash || link.hasAttribute('download')) return
  if (link.pathname === openingPage || location.pathname === openingPage) return
  // A call opens on a page of its own: its load is a clean one, and leaving it closes everything.
  if (link.pathname.startsWith('/m/') || link.pathname.startsWith('/i/')) return
  event.preventDefault()
  go(link.pathname)
}
