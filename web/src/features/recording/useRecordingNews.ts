import { useEffect, useEffectEvent, useRef } from 'react'
import type { RecordingTold } from '@/call/live'
import { sounds } from '@/call/preferences'
import { useT } from '@/i18n'
import { announce, play } from '@/ui'

type State = RecordingTold['state']

/** What is said when it goes from one state to another; undefined: nothing. Asking is said by the question itself. */
export function newsOf(before: State | null, now: State | null): string | undefined {
  if (before === now || now === 'asking') return undefined
  if (now === null) return before === 'asking' ? 'rec.sr.cancelled' : 'rec.sr.stopped'
  if (now === 'running' && (before === 'paused' || before === 'interrupted')) return 'rec.sr.resumed'
  return { running: 'rec.sr.started', paused: 'rec.sr.paused', interrupted: 'rec.sr.interrupted' }[now]
}

/** Tells by ear what the mark in the top bar shows: a low pair, and a sentence. Whoever comes later hears how it stands. */
export function useRecordingNews(recording: RecordingTold | null): void {
  const t = useT()
  const state = recording?.state ?? null
  const before = useRef<State | null>(null)
  const tell = useEffectEvent(() => {
    const word = newsOf(before.current, state)
    before.current = state
    if (word === undefined) return
    announce(t(word), 'assertive')
    if (sounds('recording')) play('recording')
  })
  useEffect(() => tell(), [state])
}
