// The lobby as hosts see it: enough to decide on, in order of arrival.
import { Link2, TriangleAlert } from 'lucide-react'
import { useRef, type KeyboardEvent } from 'react'
import type { Knock, Readable, SocketState } from '@/api'
import { ErrorNote } from '@/features/frame'
import { useT, Words } from '@/i18n'
import { announce, Button, panelHeading, useFocusKept, useNow, useStore } from '@/ui'
import { doubtful, type Door } from './door'
import './lobby.css'

export function LobbyPanel({ door, connection }: { door: Door; connection: Readable<SocketState> }) {
  const t = useT()
  const { waiting, refused, shut, busy, error } = useStore(door.state)
  const list = useRef<HTMLUListElement>(null)
  const now = useNow(15_000)
  const online = useStore(connection).is === 'open'
  const refuse = (knock: Knock) => {
    moveOn(list.current, knock.id)
    door.refuse(knock)
    announce(t('lobbyp.denied', { name: knock.name }))
  }
  const admit = (knock: Knock) => {
    moveOn(list.current, knock.id)
    void door.admit(knock)
  }
  return (
    <>
      <Undos door={door} knocks={refused} />
      <div className="scroll">
        {online ? null : <p className="stale" role="status">{t('lobbyp.offline')}</p>}
        {error ? <ErrorNote error={error} /> : null}
        {waiting.length === 0 ? <p className="nobody">{t('lobbyp.empty')}</p> : null}
        <ul ref={list} aria-label={t('lobbyp.list')} className="knocks">
          {waiting.map((knock) => <Row key={knock.id} knock={knock} now={now} busy={busy.has(knock.id)} admit={admit} refuse={refuse} />)}
        </ul>
        <Shut door={door} knocks={shut} />
      </div>
      <AdmitAll door={door} waiting={waiting} />
    </>
  )
}

/** Above the list, where they stay in sight wherever the list has been scrolled to. */
function Undos({ door, knocks }: { door: Door; knocks: readonly Knock[] }) {
  const t = useT()
  if (knocks.length === 0) return null
  return (
    <ul className="undos" aria-label={t('lobbyp.undos')}>
      {knocks.map((knock) => <Undo key={knock.id} knock={knock} undo={() => door.undo(knock)} />)}
    </ul>
  )
}

function Undo({ knock, undo }: { knock: Knock; undo: () => void }) {
  const t = useT()
  const row = useRef<HTMLLIElement>(null)
  useFocusKept(row)
  const press = () => {
    undo()
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-knock="${CSS.escape(knock.id)}"]`)?.focus())
  }
  return (
    <li ref={row} className="undo">
      <span><Words id="lobbyp.denied" values={{ name: <bdi>{knock.name}</bdi> }} /></span>
      <Button kind="quiet" onClick={press}>{t('lobbyp.undo')}<span className="vh"> : {knock.name}</span></Button>
    </li>
  )
}

/** After a row is decided on, the focus goes to the next one, or the one before. */
function moveOn(list: HTMLUListElement | null, id: string): void {
  const rows = [...(list?.children ?? [])] as HTMLElement[]
  const at = rows.findIndex((row) => row.dataset['knock'] === id)
  if (at < 0 || !rows[at]?.contains(document.activeElement)) return
  const next = rows[at + 1] ?? rows[at - 1] ?? panelHeading()
  next?.focus()
}

interface RowProps {
  knock: Knock
  now: number
  busy: boolean
  admit: (knock: Knock) => void
  refuse: (knock: Knock) => void
}

function Row({ knock, now, busy, admit, refuse }: RowProps) {
  const t = useT()
  const minutes = Math.max(0, Math.floor((now - new Date(knock.since).getTime()) / 60_000))
  const keys = (event: KeyboardEvent<HTMLLIElement>) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return
    const step = event.key === 'ArrowDown' ? 'nextElementSibling' : event.key === 'ArrowUp' ? 'previousElementSibling' : null
    const act = event.key.toLowerCase() === 'a' ? admit : event.key.toLowerCase() === 'r' ? refuse : null
    if (!step && !act) return
    event.preventDefault()
    event.stopPropagation()
    if (step) (event.currentTarget[step] as HTMLElement | null)?.focus()
    else act?.(knock)
  }
  return (
    // The row takes keys of its own (A, R, arrows) while it has the focus; its buttons do the same for everybody else.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <li
      className="knock" data-knock={knock.id}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      onKeyDown={keys}
    >
      <div className="who">
        <h3><bdi>{knock.name}</bdi></h3>
        <span className="num">{minutes === 0 ? t('lobby.waited.little') : t('lobby.minutes', { n: minutes })}</span>
      </div>
      <p>{knock.organisation ? <bdi>{knock.organisation}</bdi> : t('lobbyp.noorg')}</p>
      <div className="marks">
        <span className="chip"><Link2 aria-hidden="true" /><bdi>{knock.link.label || knock.link.guest_name || t(`links.kind.${knock.link.kind}`)}</bdi></span>
        {knock.name_differs && knock.link.guest_name ? <span className="chip warn"><TriangleAlert aria-hidden="true" /><Words id="lobbyp.mismatch" values={{ name: <bdi>{knock.link.guest_name}</bdi> }} /></span> : null}
        {knock.name_suspicious ? <span className="chip warn"><TriangleAlert aria-hidden="true" />{t('lobbyp.suspicious')}</span> : null}
      </div>
      <div className="acts">
        <Button kind={doubtful(knock) ? 'secondary' : 'soft'} busy={busy} onClick={() => admit(knock)}>{t('lobbyp.admit')}<span className="vh"> {knock.name}</span></Button>
        <Button busy={busy} onClick={() => refuse(knock)}>{t('lobbyp.deny')}<span className="vh"> {knock.name}</span></Button>
      </div>
    </li>
  )
}

/** Those refused or removed: they may not knock again until a host says so. */
function Shut({ door, knocks }: { door: Door; knocks: readonly Knock[] }) {
  const t = useT()
  if (knocks.length === 0) return null
  return (
    <section className="shut" aria-label={t('lobbyp.shut')}>
      <h3>{t('lobbyp.shut')}</h3>
      <ul>
        {knocks.map((knock) => (
          <li key={knock.id}>
            <span><bdi>{knock.name}</bdi><small>{t(knock.removed ? 'lobbyp.shut.removed' : 'lobbyp.shut.denied')}</small></span>
            <Button kind="quiet" onClick={() => void door.lift(knock)}>{t('lobbyp.lift')}<span className="vh"> : {knock.name}</span></Button>
          </li>
        ))}
      </ul>
    </section>
  )
}

function AdmitAll({ door, waiting }: { door: Door; waiting: readonly Knock[] }) {
  const t = useT()
  const staying = waiting.filter(doubtful)
  const clear = waiting.length - staying.length
  if (waiting.length < 2 || clear === 0) return null
  return (
    <footer>
      {staying.map((knock) => <p key={knock.id} className="sm muted"><Words id="lobbyp.stays" values={{ name: <bdi>{knock.name}</bdi> }} /></p>)}
      <Button kind="primary" onClick={() => void door.admitAll()}>{t(staying.length > 0 ? 'lobbyp.admitrest' : 'lobbyp.admitall', { n: clear })}</Button>
    </footer>
  )
}
