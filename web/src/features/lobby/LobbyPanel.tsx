// The lobby as hosts see it: enough to decide on, in order of arrival.
import { Lock, MessageSquare, Search } from 'lucide-react'
import { useMemo, useRef, useState, type RefObject } from 'react'
import { isProblem, type Knock, type Readable, type SocketState } from '@/api'
import { intents } from '@/call'
import { preferences } from '@/call/preferences'
import { ErrorNote } from '@/features/frame'
import { Writer } from '@/features/thread'
import { useT, Words } from '@/i18n'
import { announce, Button, panelHeading, recoverFocus, useFocusKept, useNow, useStore } from '@/ui'
import { doubtful, found, type Door } from './door'
import { KnockRow, type RowActs } from './KnockRow'
import { BanDialog, DenyDialog, RightsDialog } from './questions'
import './lobby.css'

/** From so many on a search is worth its place. */
const searchFrom = 8

type Question = { what: Parameters<RowActs['ask']>[0]; knock: Knock }

interface Props {
  door: Door
  connection: Readable<SocketState>
  /** Nobody can be let in until the meeting is unlocked. */
  locked: boolean
  unlock: () => void
}

export function LobbyPanel({ door, connection, locked, unlock }: Props) {
  const t = useT()
  const { waiting, refused, shut, busy, error } = useStore(door.state)
  const list = useRef<HTMLUListElement>(null)
  const [search, setSearch] = useState('')
  const [question, setQuestion] = useState<Question | null>(null)
  const online = useStore(connection).is === 'open'
  const searching = waiting.length >= searchFrom
  const shown = searching ? found(waiting, search) : waiting
  const refuse = (knock: Knock, message = '') => {
    moveOn(list.current, knock.id)
    door.refuse(knock, message)
    announce(t('lobbyp.denied', { name: knock.name }))
  }
  const admit = (knock: Knock) => {
    moveOn(list.current, knock.id)
    void door.admit(knock)
  }
  return (
    <>
      <Undos door={door} knocks={refused} />
      {searching ? <SearchField search={search} onSearch={setSearch} /> : null}
      <div className="scroll">
        {online ? null : <p className="stale" role="status">{t('lobbyp.offline')}</p>}
        {locked ? (
          <div className="note locked">
            <Lock aria-hidden="true" />
            <div className="stack-s"><p>{t('mod.locked.door')}</p><div><Button onClick={unlock}>{t('mod.unlock')}</Button></div></div>
          </div>
        ) : null}
        {error && !isProblem(error, 'meeting-locked') ? <ErrorNote error={error} /> : null}
        {waiting.length === 0 ? <p className="nobody">{t('lobbyp.empty')}</p> : null}
        {waiting.length > 0 && shown.length === 0 ? <p className="nobody" role="status">{t('lobbyp.notfound')}</p> : null}
        <Rows list={list} shown={shown} busy={busy} acts={{ admit, refuse: (knock) => refuse(knock), ask: (what, knock) => setQuestion({ what, knock }), write: door.write }} />
        <Shut door={door} knocks={shut} />
      </div>
      <Foot door={door} waiting={waiting} />
      {question ? <Asked question={question} door={door} refuse={refuse} onClose={() => { setQuestion(null); recoverFocus() }} /> : null}
    </>
  )
}

function SearchField({ search, onSearch }: { search: string; onSearch: (search: string) => void }) {
  const t = useT()
  return (
    <div className="field search">
      <Search aria-hidden="true" />
      <input type="search" aria-label={t('lobbyp.search')} placeholder={t('lobbyp.search')} value={search} onChange={(event) => onSearch(event.target.value)} />
    </div>
  )
}

interface RowsProps {
  list: RefObject<HTMLUListElement | null>
  shown: readonly Knock[]
  busy: ReadonlySet<string>
  acts: Omit<RowActs, 'talk'>
}

function Rows({ list, shown, busy, acts }: RowsProps) {
  const t = useT()
  const now = useNow(15_000)
  const { keys } = useStore(intents)
  const { keysOff } = useStore(preferences)
  const [chosen, setChosen] = useState('')
  const [talking, setTalking] = useState('')
  const active = shown.some((knock) => knock.id === chosen) ? chosen : shown[0]?.id
  const talk = (knock: Knock) => {
    setTalking((before) => (before === knock.id ? '' : knock.id))
    if (talking === knock.id) focusRow(knock.id)
  }
  return (
    <ul ref={list} aria-label={t('lobbyp.list')} className="knocks">
      {shown.map((knock) => (
        <KnockRow key={knock.id} knock={knock} now={now} busy={busy.has(knock.id)} active={knock.id === active} letters={{ a: keys && !keysOff.includes('a'), r: keys && !keysOff.includes('r') }} talking={knock.id === talking} onFocus={() => setChosen(knock.id)} acts={{ ...acts, talk }} />
      ))}
    </ul>
  )
}

interface AskedProps {
  question: Question
  door: Door
  refuse: (knock: Knock, message: string) => void
  onClose: () => void
}

function Asked({ question: { what, knock }, door, refuse, onClose }: AskedProps) {
  const t = useT()
  switch (what) {
    case 'permissions':
      return <RightsDialog name={knock.name} permissions={{ ...knock.usual, ...knock.permissions }} act={t('lobbyp.admit')} onAct={(permissions) => void door.admit(knock, permissions)} onClose={onClose} />
    case 'message':
      return <DenyDialog knock={knock} onDeny={(message) => refuse(knock, message)} onClose={onClose} />
    case 'ban':
      return <BanDialog knock={knock} onBan={() => door.ban(knock)} onClose={onClose} />
  }
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
    focusRow(knock.id)
  }
  return (
    <li ref={row} className="undo">
      <span><Words id="lobbyp.denied" values={{ name: <bdi>{knock.name}</bdi> }} /></span>
      <Button kind="quiet" onClick={press}>{t('lobbyp.undo')}<span className="vh"> : {knock.name}</span></Button>
    </li>
  )
}

function focusRow(id: string): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-knock="${CSS.escape(id)}"]`)?.focus())
}

/** After a row is decided on, the focus goes to the next one, or the one before. */
function moveOn(list: HTMLUListElement | null, id: string): void {
  const rows = [...(list?.children ?? [])] as HTMLElement[]
  const at = rows.findIndex((row) => row.dataset['knock'] === id)
  if (at < 0 || !rows[at]?.contains(document.activeElement)) return
  const next = rows[at + 1] ?? rows[at - 1] ?? panelHeading()
  next?.focus()
}

/** Those refused, removed or banned: they may not knock again until a host says so. */
function Shut({ door, knocks }: { door: Door; knocks: readonly Knock[] }) {
  const t = useT()
  if (knocks.length === 0) return null
  return (
    <section className="shut" aria-label={t('lobbyp.shut')}>
      <h3>{t('lobbyp.shut')}</h3>
      <ul>
        {knocks.map((knock) => (
          <li key={knock.id}>
            <span><bdi>{knock.name}</bdi><small>{t(`lobbyp.shut.${knock.banned ? 'banned' : knock.removed ? 'removed' : 'denied'}`)}</small></span>
            <Button kind="quiet" onClick={() => void door.lift(knock)}>{t(knock.banned ? 'lobbyp.unban' : 'lobbyp.lift')}<span className="vh"> : {knock.name}</span></Button>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** What is done to everybody at once. */
function Foot({ door, waiting }: { door: Door; waiting: readonly Knock[] }) {
  const t = useT()
  const [writing, setWriting] = useState(false)
  const staying = useMemo(() => waiting.filter(doubtful), [waiting])
  const clear = waiting.length - staying.length
  if (waiting.length < 2) return null
  const [first] = staying
  return (
    <footer className="everybody">
      {writing
        ? <Writer label={t('lobbyp.writeall', { n: waiting.length })} send={(text) => door.writeAll(text).then(() => { setWriting(false); announce(t('lobbyp.toldall', { n: waiting.length })) })} onEscape={() => setWriting(false)} />
        : <Button kind="quiet" icon={<MessageSquare aria-hidden="true" />} onClick={() => setWriting(true)}>{t('lobbyp.writeall', { n: waiting.length })}</Button>}
      {clear > 0 && first ? <p className="sm muted">{staying.length === 1 ? <Words id="lobbyp.stays" values={{ name: <bdi>{first.name}</bdi> }} /> : t('lobbyp.stay', { n: staying.length })}</p> : null}
      {clear > 0 ? <Button kind="primary" onClick={() => void door.admitAll()}>{t(staying.length > 0 ? 'lobbyp.admitrest' : 'lobbyp.admitall', { n: clear })}</Button> : null}
    </footer>
  )
}
