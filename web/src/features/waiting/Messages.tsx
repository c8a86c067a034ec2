// What hosts write to somebody who waits, and the answer. It is text and nothing else.
import { useEffect, useRef } from 'react'
import { Lines, Writer } from '@/features/thread'
import { useT } from '@/i18n'
import { announce, play } from '@/ui'
import type { LobbyView, Waits } from './waits'

export function Messages({ visit, view }: { visit: Waits; view: LobbyView }) {
  const t = useT()
  const messages = view.knock?.messages ?? []
  const last = messages.findLast((message) => message.by_host)
  const heard = useRef(last?.seq ?? 0)
  useEffect(() => {
    if (!last || last.seq <= heard.current) return
    heard.current = last.seq
    announce(t('lobby.wrote', { name: last.by_name, text: last.text }))
    play('message')
  }, [last, t])
  if (messages.length === 0) return null
  return (
    <section className="messages-waiting" aria-label={t('lobbyp.thread')}>
      <Lines messages={messages} />
      <Writer label={t('lobby.reply')} send={visit.reply} focused={false} keep={location.pathname} />
    </section>
  )
}
