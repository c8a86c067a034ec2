// The parts of the call's page that nobody waits for: they are not there while it starts.
import { lazy, useEffect } from 'react'
import type { Phase } from '@/call/live'
import { untilThere } from '@/ui'

const loadOpened = () => untilThere(() => import('./opened'))
const loadSettings = () => untilThere(() => import('@/features/settings'))

export const ChatPanel = lazy(() => loadOpened().then((module) => ({ default: module.ChatPanel })))
export const PeoplePanel = lazy(() => loadOpened().then((module) => ({ default: module.PeoplePanel })))
export const KeysDialog = lazy(() => loadOpened().then((module) => ({ default: module.KeysDialog })))
export const TimerDialog = lazy(() => loadOpened().then((module) => ({ default: module.TimerDialog })))
const loadRecording = () => untilThere(() => import('@/features/recording'))

export const RecordingPart = lazy(() => loadRecording().then((module) => ({ default: module.RecordingPart })))
export const SettingsDialog = lazy(() => loadSettings().then((module) => ({ default: module.SettingsDialog })))

/** How long after the call stands the first pictures have the link for themselves, in milliseconds. */
const ahead = 2_000

/** Has the panels ready before they are opened, once the call stands. */
export function usePartsReady(phase: Phase['is']): void {
  const live = phase === 'live'
  useEffect(() => {
    if (!live) return
    const timer = setTimeout(() => void loadOpened(), ahead)
    return () => clearTimeout(timer)
  }, [live])
}
