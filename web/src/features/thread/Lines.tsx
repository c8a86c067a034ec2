// Messages between hosts and somebody who waits. They are text and nothing else.
import { useEffect, useRef } from 'react'
import type { LobbyMessage } from '@/api'
import { useLang, useT } from '@/i18n'
import { hour } from '@/i18n/dates'
import './thread.css'

export function Lines({ messages }: { messages: readonly LobbyMessage[] }) {
  const t = useT()
  const lang = useLang()
  const list = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (list.current) list.current.scrollTop = list.current.scrollHeight
  }, [messages.length])
  if (messages.length === 0) return null
  return (
    // A list that scrolls must be reachable by keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div ref={list} className="lines" role="log" aria-label={t('lobbyp.thread')} tabIndex={0}>
      <ul>
        {messages.map((message) => (
          <li key={message.seq} className={message.by_host ? 'host' : ''}>
            <small><bdi>{message.by_name}</bdi> <time className="num" dateTime={message.at}>{hour(new Date(message.at), lang)}</time></small>
            <bdi>{message.text}</bdi>
          </li>
        ))}
      </ul>
    </div>
  )
}
