import { RotateCcw, Send } from 'lucide-react'
import { useEffect, useRef, type SubmitEvent, type KeyboardEvent } from 'react'
import { longestMessage, type Call, type Message } from '@/call/live'
import { useLang, useT } from '@/i18n'
import { hour } from '@/i18n/dates'
import { Button, useStore } from '@/ui'
import './chat.css'

export function ChatPanel({ chat, allowed }: { chat: Call['chat']; allowed: boolean }) {
  const t = useT()
  const { messages, draft } = useStore(chat.state)
  const end = useRef<HTMLDivElement>(null)
  useEffect(() => {
    chat.show(true)
    return () => chat.show(false)
  }, [chat])
  useEffect(() => {
    // Newer browsers return a promise here, which an effect must not.
    end.current?.scrollIntoView({ block: 'end' })
  }, [messages.length])
  return (
    <>
      {/* A list that scrolls must be reachable by keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="scroll messages" role="log" aria-label={t('ctl.chat')} tabIndex={0}>
        <p className="sm muted first">{t('chat.empty')}</p>
        <ul>
          {messages.map((message, i) => <Line key={message.id} message={message} follows={follows(messages[i - 1], message)} again={() => void chat.again(message.id)} />)}
        </ul>
        <div ref={end} />
      </div>
      {allowed ? <Writer draft={draft} write={chat.write} send={() => void chat.send()} /> : <footer><p className="sm muted">{t('chat.closed')}</p></footer>}
    </>
  )
}

const together = 120_000

/** Messages of one person within two minutes stand under one name. */
function follows(before: Message | undefined, message: Message): boolean {
  return before !== undefined && before.from.identity === message.from.identity && message.at - before.at < together
}

function Line({ message, follows: joined, again }: { message: Message; follows: boolean; again: () => void }) {
  const t = useT()
  const lang = useLang()
  return (
    <li className={message.from.self ? 'mine' : ''}>
      {joined ? null : (
        <p className="by">
          <b>{message.from.self ? t('stage.you') : <bdi>{message.from.name}</bdi>}</b> <time className="num" dateTime={new Date(message.at).toISOString()}>{hour(new Date(message.at), lang)}</time>
        </p>
      )}
      <p className={`text ${message.state}`}><bdi>{message.text}</bdi></p>
      {message.state === 'failed' ? <Button kind="quiet" icon={<RotateCcw aria-hidden="true" />} className="failed" onClick={again}>{t('chat.failed')}</Button> : null}
    </li>
  )
}

function Writer({ draft, write, send }: { draft: string; write: (draft: string) => void; send: () => void }) {
  const t = useT()
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
  return (
    <form className="writer" onSubmit={submit}>
      <textarea aria-label={t('chat.message')} placeholder={t('chat.message')} rows={2} maxLength={longestMessage} value={draft} onChange={(event) => write(event.target.value)} onKeyDown={keys} dir="auto" />
      <Button kind="primary" type="submit" icon={<Send aria-hidden="true" />} aria-label={t('chat.send')} />
    </form>
  )
}
