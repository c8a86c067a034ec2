// The lobby as the guest sees it. The h1 tells the truth: that a host knows is said only once a host's screen has it.
import { LogOut } from 'lucide-react'
import { useEffect, useState } from 'react'
import type { GuestView, SocketState } from '@/api'
import { DeviceCheckCard } from '@/features/devices'
import { ErrorNote, Frame } from '@/features/frame'
import { useT, Words } from '@/i18n'
import { announce, Button, Heading, useNow, useStore, useTitle } from '@/ui'
import type { GuestVisit } from './visit'

interface Props {
  visit: GuestVisit
  view: GuestView
}

export function WaitingPage({ visit, view }: Props) {
  const t = useT()
  const connection = useStore(visit.connection)
  const [error, setError] = useState<unknown>(null)
  useTitle(t('lobby.title', { title: view.meeting.title }))
  const leave = () => {
    setError(null)
    visit.withdraw().catch(setError)
  }
  return (
    <Frame subtitle={t('lobbyp.title')}>
      <main id="main" className="wait">
        <section className="card status">
          <div className="stack-s">
            <Line connection={connection} retry={visit.retryConnection} />
            <Truth view={view} />
          </div>
          <Waited view={view} />
          <p className="sm muted">{t(view.binding.bound ? 'lobby.reload' : 'lobby.unbound')}</p>
          {error ? <ErrorNote error={error} /> : null}
          <div className="row"><Button icon={<LogOut aria-hidden="true" />} onClick={leave}>{t('lobby.leave')}</Button></div>
        </section>
        <DeviceCheckCard />
      </main>
    </Frame>
  )
}

function Line({ connection, retry }: { connection: SocketState; retry: () => void }) {
  const t = useT()
  const lost = connection.is === 'lost'
  const text = lost ? t('lobby.offline') : connection.is === 'open' ? t('lobby.kept') : t('common.loading')
  return (
    <div className={`beat sm ${connection.is === 'open' ? '' : 'lost'}`}>
      <i aria-hidden="true" />
      <span role="status">{text}</span>
      {lost ? <Button kind="quiet" onClick={retry}>{t('recon.now')}</Button> : null}
    </div>
  )
}

function Truth({ view }: { view: GuestView }) {
  const t = useT()
  const host = view.meeting.organiser
  const known = view.host_knows
  // The first state is the screen itself; only what changes while waiting is said aloud.
  const [first] = useState(known)
  useEffect(() => {
    if (known !== first) announce(t(known ? 'lobby.known' : 'lobby.absent', { host }))
  }, [known, first, t, host])
  return (
    <>
      <Heading>{known ? <Words id="lobby.known" values={{ host: <bdi>{host}</bdi> }} /> : view.host_present ? t('lobby.present') : t('lobby.absent')}</Heading>
      <p className="muted">{t('lobby.nothing')}</p>
    </>
  )
}

function Waited({ view }: { view: GuestView }) {
  const t = useT()
  const now = useNow(15_000)
  const { knock, meeting } = view
  const minutes = knock ? Math.max(0, Math.floor((now - new Date(knock.since).getTime()) / 60_000)) : 0
  return (
    <dl>
      <dt>{t('lobby.meeting')}</dt>
      <dd><bdi>{meeting.title}</bdi></dd>
      <dt>{t('lobby.you')}</dt>
      <dd><bdi>{knock?.name}</bdi>{knock?.organisation ? <>{', '}<bdi>{knock.organisation}</bdi></> : null}</dd>
      <dt>{t('lobby.waited')}</dt>
      <dd className="num">{minutes === 0 ? t('lobby.waited.little') : t('lobby.minutes', { n: minutes })}</dd>
    </dl>
  )
}
