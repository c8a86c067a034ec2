import { useEffect, useRef, useState } from 'react'
import type { Knock } from '@/api'
import { sounds } from '@/call/preferences'
import { useT } from '@/i18n'
import { announce, Bell, notify, play } from '@/ui'

/** Sound, words and, out of sight, the system's notice for those who knock; several within five seconds are one. */
export function useKnockSign(waiting: readonly Knock[], title: string): void {
  const t = useT()
  const tell = (told: Knock[]) => {
    if (sounds('knock')) play('knock')
    announce(t('sr.knock', { n: told.length, name: told[0]?.name ?? '' }))
    notify(title, t('meetings.waiting', { n: waiting.length }), `aparte-${title}`)
  }
  const bell = useBell(tell)
  const known = useRef(new Set<string>())
  useEffect(() => {
    // A second knock of the same guest is a new one: since tells them apart. Who was sent back has not knocked.
    const key = (knock: Knock) => `${knock.id} ${knock.since}`
    const arrived = waiting.filter((knock) => !knock.sent_back && !known.current.has(key(knock)))
    known.current = new Set(waiting.map(key))
    bell.ring(...arrived)
  }, [waiting, bell])
}

/** The same for what those who wait answer. */
export function useReplySign(waiting: readonly Knock[]): void {
  const t = useT()
  const tell = (told: Knock[]) => {
    if (sounds('message')) play('message')
    announce(t('lobbyp.replied', { n: told.length, name: told[0]?.name ?? '' }))
  }
  const bell = useBell(tell)
  const known = useRef<Map<string, number> | null>(null)
  useEffect(() => {
    const last = (knock: Knock) => knock.messages.findLast((message) => !message.by_host)?.seq ?? 0
    const before = known.current
    known.current = new Map(waiting.map((knock) => [knock.id, last(knock)]))
    // What was said before this page knew of the person is read, not heard.
    if (before) bell.ring(...waiting.filter((knock) => before.has(knock.id) && last(knock) > (before.get(knock.id) ?? 0)))
  }, [waiting, bell])
}

function useBell(tell: (told: Knock[]) => void): Bell<Knock> {
  const [bell] = useState(() => new Bell<Knock>())
  useEffect(() => bell.answer(tell))
  useEffect(() => () => bell.stop(), [bell])
  return bell
}
