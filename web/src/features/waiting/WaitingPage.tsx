// The lobby as whoever waits sees it, guest or agent. The h1 tells the truth: that a host knows is said only once a host's screen has it.
import { CircleDot, Clock, Lock, LogOut, Undo2 } from 'lucide-react'
import { useEffect, useState } from 'react'
import type { Readable, SocketState } from '@/api'
import { DeviceCheckCard } from '@/features/devices'
import { ErrorNote, Frame } from '@/features/frame'
import { Said, useLang, useT, Words } from '@/i18n'
import { moment } from '@/i18n/dates'
import { announce, Button, Heading, useLasting, useNow, useStore, useTitle } from '@/ui'
import { Messages } from './Messages'
import type { LobbyView, Waits } from './waits'
import './waiting.css'

interface Props {
  visit: Waits & { connection: Readable<SocketState>; retryConnection: () => void; withdraw: () => Promise<void> }
  view: LobbyView
  /** Of a guest. */
  bearer?: string | undefined
  /** What happens to the place when the page is left. */
  kept: string
  /** When the link by which one came ends; absent: one came by none. */
  linkEnds?: string
}

export function WaitingPage({ visit, view, bearer, kept, linkEnds }: Props) {
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
            {linkEnds ? <LinkEnd expires={linkEnds} /> : null}
          </div>
          <Messages visit={visit} view={view} />
          <Waited view={view} />
          <p className="sm muted"><Said texts={view.meeting.sentence} /></p>
          {view.meeting.recording === 'none' ? null : <p className="note"><CircleDot aria-hidden="true" /><span>{t(view.meeting.recording_watchable ? 'entry.rec.watch' : 'entry.rec')}</span></p>}
          {view.meeting.keep_chat_days > 0 ? <p className="sm muted">{t('entry.chatkept', { n: view.meeting.keep_chat_days })}</p> : null}
          <p className="sm muted">{kept}</p>
          {error ? <ErrorNote error={error} /> : null}
          <div className="row"><Button icon={<LogOut aria-hidden="true" className="flip" />} onClick={leave}>{t('lobby.leave')}</Button></div>
        </section>
        <DeviceCheckCard bearer={bearer} />
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

/** A host who only reloads the page has not gone. */
const goneAfter = 5_000

function Truth({ view }: { view: LobbyView }) {
  const t = useT()
  const host = view.known_by ?? view.meeting.organiser
  const here = useLasting(view.host_watching || view.host_present, goneAfter)
  const truth = view.host_knows ? (here ? 'known' : 'gone') : view.host_present ? 'present' : view.host_watching ? 'watching' : 'absent'
  // The first state is the screen itself; only what changes while waiting is said aloud.
  const [first] = useState(truth)
  const words = t(`lobby.${truth}`, { host })
  useEffect(() => {
    if (truth !== first) announce(words)
  }, [truth, first, words])
  return (
    <>
      <Heading>{truth === 'known' ? <Words id="lobby.known" values={{ host: <bdi>{host}</bdi> }} /> : words}</Heading>
      <p className="muted">{truth === 'gone' ? <Words id="lobby.gone.more" values={{ host: <bdi>{host}</bdi> }} /> : t('lobby.nothing')}</p>
      {view.meeting.locked ? <p className="note"><Lock aria-hidden="true" /><span>{t('lobby.locked')}</span></p> : null}
      {view.knock?.sent_back ? <p className="note"><Undo2 aria-hidden="true" className="flip" /><span>{t('lobby.back')}</span></p> : null}
    </>
  )
}

/** The end of the link's validity drops nobody who waits; coming back after leaving would need a new one. */
function LinkEnd({ expires }: { expires: string }) {
  const t = useT()
  const lang = useLang()
  const now = useNow(30_000)
  const end = new Date(expires)
  if (end.getTime() > now) return null
  return <p className="note"><Clock aria-hidden="true" /><span>{t('lobby.linkend', { date: moment(end, lang) })}</span></p>
}

function Waited({ view }: { view: LobbyView }) {
  const t = useT()
  const now = useNow(15_000)
  const { knock, meeting } = view
  const minutes = knock ? Math.max(0, Math.floor((now - new Date(knock.since).getTime()) / 60_000)) : 0
  return (
    <dl>
      <dt>{t('lobby.meeting')}</dt>
      <dd><bdi>{meeting.title}</bdi></dd>
      <dt>{t('lobby.you')}</dt>
      <dd><bdi>{knock?.name}</bdi>{knock?.organisation ? <>{' · '}<bdi>{knock.organisation}</bdi></> : null}</dd>
      <dt>{t('lobby.waited')}</dt>
      <dd className="num">{minutes === 0 ? t('lobby.waited.little') : t('lobby.minutes', { n: minutes })}</dd>
    </dl>
  )
}
