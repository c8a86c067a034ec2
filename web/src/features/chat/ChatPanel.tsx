import { Lock, Paperclip, RotateCcw, Send } from 'lucide-react'
import { useEffect, useRef, type ClipboardEvent, type SubmitEvent, type KeyboardEvent } from 'react'
import { moderates } from '@/call'
import { everyone, type Call, type Message, type Person, type ProfileInForce } from '@/call/live'
import { useLang, useT, Words } from '@/i18n'
import { hour } from '@/i18n/dates'
import { Button, useStore } from '@/ui'
import { FileLine } from './FileLine'
import { Uploads } from './Uploads'
import { useDrop } from './useDrop'
import './chat.css'

interface Props {
  chat: Call['chat']
  files: Call['files']
  /** May write. */
  allowed: boolean
  /** May send files. */
  sends: boolean
  people: readonly Person[]
  /** The person reading is a host. */
  host: boolean
  /** Whom the security profile lets write privately. */
  privately: ProfileInForce['privately']
  /** For how many days what is written to everybody is stored; 0: it is not. */
  keptDays: number
}

export function ChatPanel({ chat, files, allowed, sends, people, host, privately, keptDays }: Props) {
  const t = useT()
  const { messages, draft, to } = useStore(chat.state)
  const { uploads, error } = useStore(files.state)
  const failed = uploads.filter(({ state }) => state === 'failed').length
  const end = useRef<HTMLDivElement>(null)
  useEffect(() => {
    chat.show(true)
    return () => chat.show(false)
  }, [chat])
  useEffect(() => {
    // Newer browsers return a promise here, which an effect must not.
    end.current?.scrollIntoView({ block: 'end' })
  }, [messages.length, uploads.length, failed, error])
  const send = (list: Iterable<File>) => files.send(list, to.id)
  const dragged = useDrop(sends ? send : null)
  return (
    <>
      {/* A list that scrolls must be reachable by keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className={`scroll messages ${dragged ? 'dragged' : ''}`} role="log" aria-label={t('ctl.chat')} tabIndex={0}>
        <p className="sm muted first">{keptDays > 0 ? t('chat.kept', { n: keptDays }) : t('chat.empty')}</p>
        <ul>
          {messages.map((message, i) => <Line key={message.id} message={message} follows={follows(messages[i - 1], message)} again={() => void chat.again(message.id)} files={files} host={host} />)}
        </ul>
        <Uploads files={files} />
        {dragged ? <p className="drop">{t('file.drop')}</p> : null}
        <div ref={end} />
      </div>
      {allowed
        ? <Writer draft={draft} write={chat.write} send={() => void chat.send()} attach={sends ? send : null} to={to} address={chat.address} people={people} host={host} privately={privately} />
        : <footer className="closed"><p className="sm muted">{t('chat.closed')}</p>{sends ? <Attach attach={send} /> : null}</footer>}
    </>
  )
}

const together = 120_000

/** Messages of one person within two minutes stand under one name. */
function follows(before: Message | undefined, message: Message): boolean {
  return before !== undefined && before.from.identity === message.from.identity && before.to === message.to && message.at - before.at < together
}

function Line({ message, follows: joined, again, files, host }: { message: Message; follows: boolean; again: () => void; files: Call['files']; host: boolean }) {
  const t = useT()
  const lang = useLang()
  return (
    <li className={message.from.self ? 'mine' : ''}>
      {joined ? null : (
        <p className="by">
          <b>{message.from.self ? t('stage.you') : <bdi>{message.from.name}</bdi>}</b> <time className="num" dateTime={new Date(message.at).toISOString()}>{hour(new Date(message.at), lang)}</time>
          <PrivateTo message={message} />
        </p>
      )}
      {message.file
        ? <FileLine file={message.file} files={files} own={message.from.self} deletes={host || message.from.self} />
        : <p className={`text ${message.state}`}><bdi>{message.text}</bdi></p>}
      {message.state === 'queued' ? <p className="sm muted">{t('chat.queued')}</p> : null}
      {message.state === 'failed' ? <Button kind="quiet" icon={<RotateCcw aria-hidden="true" />} className="failed" onClick={again}>{t('chat.failed')}</Button> : null}
    </li>
  )
}

/** Whom a private message is between, in words. */
function PrivateTo({ message }: { message: Message }) {
  const t = useT()
  if (message.to === everyone.id) return null
  return (
    <span className="private">
      <Lock aria-hidden="true" />
      {message.to === 'hosts' ? t('chat.private.hosts') : message.toSelf ? t('chat.private.you') : <Words id="chat.private.to" values={{ name: <bdi>{message.toName}</bdi> }} />}
    </span>
  )
}

interface WriterProps extends Pick<Props, 'people' | 'host' | 'privately'> {
  draft: string
  write: (draft: string) => void
  send: () => void
  /** Null: no files may be sent. */
  attach: ((files: Iterable<File>) => void) | null
  to: { id: string; name: string }
  address: (to: WriterProps['to']) => void
}

/** To whom one may write privately. Whoever has left stays chosen, so that nothing meant for one goes to all. */
function readers(people: readonly Person[], all: boolean, chosen: WriterProps['to']): WriterProps['to'][] {
  const found = people.filter((person) => !person.self && (all || moderates(person.role))).map((person) => ({ id: person.identity, name: person.name }))
  return chosen.name === '' || found.some((one) => one.id === chosen.id) ? found : [...found, chosen]
}

function Writer({ draft, write, send, attach, to, address, people, host, privately }: WriterProps) {
  const t = useT()
  const persons = readers(people, host || privately === 'all', to)
  const all = [{ id: everyone.id, name: '' }, { id: 'hosts', name: '' }, ...persons]
  const label = t(to.id === everyone.id ? 'chat.message' : 'chat.message.private')
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    send()
  }
  const keys = (event: KeyboardEvent) => {
    // Enter sends; with Shift it is a new line; while a word is being composed it belongs to the input method.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    send()
  }
  const paste = (event: ClipboardEvent) => {
    if (!attach || event.clipboardData.files.length === 0) return
    event.preventDefault()
    attach(event.clipboardData.files)
  }
  return (
    <form className={`writer ${attach ? 'attaches' : ''}`} onSubmit={submit}>
      {privately === 'off' && to.id === everyone.id ? null : <label className="to">
        <span>{t('chat.to')}</span>
        <select value={to.id} onChange={(event) => address(all.find((one) => one.id === event.target.value) ?? everyone)}>
          <option value={everyone.id}>{t('chat.to.everyone')}</option>
          <option value="hosts">{t(host ? 'chat.to.hosts.other' : 'chat.to.hosts')}</option>
          {persons.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
        </select>
      </label>}
      {attach ? <Attach attach={attach} /> : null}
      <textarea className={to.id === everyone.id ? '' : 'private'} aria-label={label} placeholder={label} rows={2} value={draft} onChange={(event) => write(event.target.value)} onKeyDown={keys} onPaste={paste} dir="auto" />
      <Button kind="primary" type="submit" icon={<Send aria-hidden="true" className="flip" />} aria-label={t('chat.send')} />
    </form>
  )
}

/** Opens the browser's own chooser. */
function Attach({ attach }: { attach: (files: Iterable<File>) => void }) {
  const t = useT()
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <input
        ref={input} type="file" multiple hidden data-testid="attach"
        onChange={(event) => {
          attach([...(event.target.files ?? [])])
          event.target.value = '' // so that the same may be chosen again
        }}
      />
      <Button icon={<Paperclip aria-hidden="true" />} aria-label={t('file.attach')} title={t('file.attach')} onClick={() => input.current?.click()} />
    </>
  )
}
