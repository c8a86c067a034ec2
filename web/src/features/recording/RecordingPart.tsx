// A recording on the screen of one person: what they are asked, what is said when it begins and ends, and the dialog behind
// the mark in the top bar. The mark itself is the stage's: it is there before this part has come.
import { useEffect, useEffectEvent, useRef, useState } from 'react'
import type { Call, CallState } from '@/call/live'
import { Consent } from '@/call/consent'
import { recoverFocus, useStore } from '@/ui'
import { Ended } from './Ended'
import { Prompt } from './Prompt'
import { RecordingDialog } from './RecordingDialog'
import { useRecordingNews } from './useRecordingNews'
import './recording.css'

interface Props {
  call: Call
  state: CallState
  host: boolean
  /** The dialog is open. */
  open: boolean
  onClose: () => void
  leave: () => void
}

export function RecordingPart({ call, state, host, open, onClose, leave }: Props) {
  const [consent] = useState(() => new Consent(call, call.recording, host))
  useEffect(() => consent.begin(), [consent])
  useRecordingNews(state.recording)
  const own = useStore(consent.state)
  const { recording } = state
  useClosedWithIt(recording?.id ?? null, open, onClose)
  // Whoever only looks on is in no recording, and is not asked.
  const asked = state.people.every((person) => !person.self || person.role !== 'observer')
  return (
    <>
      {recording && asked && own.id === recording.id && own.answer === null && !open ? <Prompt recording={recording} consent={consent} own={own} leave={leave} /> : null}
      {own.ended && !recording ? <Ended because={own.ended} onClose={consent.dismiss} /> : null}
      {open ? <RecordingDialog recording={recording} recordable={state.recordable} consent={consent} own={own} host={host} asked={asked} onClose={onClose} /> : null}
    </>
  )
}

/** Whoever has stopped it, or looked at it when it stopped, is not asked for the next one. */
function useClosedWithIt(id: string | null, open: boolean, onClose: () => void): void {
  const before = useRef(id)
  const told = useEffectEvent(() => {
    if (before.current !== null && id === null && open) {
      onClose()
      recoverFocus()
    }
    before.current = id
  })
  useEffect(() => told(), [id])
}
