// The call on the screen: top bar, tiles, one panel, control bar. Everything it shows comes from the view model.
import { Suspense, useState } from 'react'
import { intents } from '@/call'
import type { Call, CallState, Right } from '@/call/live'
import { preferences, sounds } from '@/call/preferences'
import { ControlBar, type PanelName } from '@/features/controls'
import { usePersonMenu } from '@/features/people'
import { useT } from '@/i18n'
import { announce, play, useStore, useTitle } from '@/ui'
import type { HostSide } from './hostSide'
import { Voices } from './Media'
import { useMiniWindow } from './MiniWindow'
import { ModeratedNotices } from './Moderated'
import { BarNotices, Notices } from './Notices'
import { OpenPanel } from './OpenPanel'
import { KeysDialog, RecordingPart, SettingsDialog, TimerDialog, usePartsReady } from './parts'
import { AwayPage, Reconnecting, useLongAway } from './Reconnecting'
import { useShareQuestion } from './ShareQuestion'
import { Tiles } from './Tiles'
import { TopBar } from './TopBar'
import { useAwake } from './useAwake'
import { useBack } from './useBack'
import { useCallKeys } from './useCallKeys'
import { useCallNews } from './useCallNews'
import { useFullScreen } from './useFullScreen'
import { SelfHidden, ViewMenu } from './ViewMenu'
import { Watermark } from './Watermark'
import './stage.css'

/** Of the settings, which subject is opened. */
const subjects = { settings: null, network: 'network', mic: 'sound', speaker: 'sound', cam: 'picture' } as const
type Dialog = 'keys' | 'timer' | 'recording' | keyof typeof subjects | null

export function Stage({ call, title, host }: { call: Call; title: string; host?: HostSide }) {
  const t = useT()
  const state = useStore(call.state)
  const [panel, setPanel] = useState<PanelName | null>(null)
  const [dialog, setDialog] = useState<Dialog>(null)
  const [since] = useState(() => Date.now())
  const toggle = (name: PanelName) => setPanel((before) => (before === name ? null : name))
  useTitle(host && host.waiting > 0 ? t('stage.title.waiting', { n: host.waiting, title }) : title)
  const { share, question: shareQuestion } = useShareQuestion(call, state.people)
  const longAway = useLongAway(state.phase)
  useCallNews(call)
  const view = useStore(call.view.state)
  const { menuOf, question } = usePersonMenu(host?.onOne, state.moderation, call.view)
  useAwake()
  const leave = useLeave(call)
  const closeOne = () => {
    setDialog(null)
    setPanel(null)
    return dialog !== null || panel !== null
  }
  const backQuestion = useBack(closeOne, leave)
  const may = mayDo(state, host)
  const full = useFullScreen()
  const mini = useMiniWindow(call, leave)
  const pin = usePin(call)
  useCallKeys(call, { may, cam: () => toggleCam(call), share, toggle, help: () => setDialog('keys'), escape: () => setPanel(null), host: host !== undefined, ...(full.offered ? { full: full.toggle } : {}), ...(mini.offered ? { mini: mini.toggle } : {}) })
  const { phase } = state
  usePartsReady(phase.is)
  const recorded = useEver(state.recording !== null || dialog === 'recording')
  if (longAway && phase.is === 'reconnecting') {
    return <div className="call" data-phase={phase.is}><AwayPage phase={phase} retry={call.retryNow} leave={leave} /></div>
  }
  const timer = () => setDialog('timer')
  const record = () => setDialog('recording')
  return (
    <div className={`call ${panel ? 'with-panel' : ''} ${phase.is === 'reconnecting' ? 'dimmed' : ''}`} data-phase={phase.is}>
      <TopBar
        title={title} state={state} since={since} views={<><SelfHidden view={call.view} /><ViewMenu view={call.view} full={full} mini={mini} /></>} onConnection={() => setDialog('network')} {...(host ? { onTimer: timer } : {})} onRecording={record}
        notice={<BarNotices call={call} state={state} {...(host ? { host } : {})} lobbyOpen={panel === 'lobby'} onLobby={() => setPanel('lobby')} />}
      />
      <main id="main" className="floor" data-region="tiles" tabIndex={-1}>
        {recorded ? <Suspense><RecordingPart call={call} state={state} host={host !== undefined} open={dialog === 'recording'} onClose={() => setDialog(null)} leave={leave} /></Suspense> : null}
        <ModeratedNotices call={call} state={state} />
        <Notices call={call} state={state} alone={Boolean(host) && state.people.length < 2 && view.selfView === 'tile'} onDevices={setDialog} />
        <Tiles people={state.people} shares={state.shares} spotlight={state.moderation.spotlight} empty={t(host ? 'stage.alone' : 'stage.empty')} drawn={{ menuOf, reactions: state.reactions, recording: state.recording, view, onPin: pin, onShare: (identity) => showLarge(call, identity), onSelf: () => call.view.setSelfView('tile') }} />
        <Watermark call={call} />
        {phase.is === 'reconnecting' ? <Reconnecting phase={phase} retry={call.retryNow} /> : null}
        {state.mustTap ? <button type="button" className="tap" onClick={() => void call.resume()}>{t('stage.tap')}</button> : null}
      </main>
      <OpenPanel panel={panel} call={call} state={state} menuOf={menuOf} {...(host ? { host } : {})} onClose={() => setPanel(null)} />
      <CallBar call={call} state={state} panel={panel} onPanel={toggle} {...(host ? { host } : {})} acts={{ share, leave, timer, record: state.recordable || state.recording ? record : null, help: () => setDialog('keys'), settings: () => setDialog('settings') }} />
      <Voices people={state.people} shares={state.shares} view={view} />
      {mini.content}
      {question}
      {shareQuestion}
      {backQuestion}
      <Suspense>
        {host && dialog === 'timer' ? <TimerDialog running={state.timer !== null} set={call.setTimer} onClose={() => setDialog(null)} /> : null}
        {dialog && dialog in subjects ? <SettingsDialog first={subjects[dialog as keyof typeof subjects]} use={(kind, id) => void call.use(kind, id)} connection={{ look: call.measure, quality: state.quality }} onClose={() => setDialog(null)} /> : null}
        {dialog === 'keys' ? <KeysDialog host={host !== undefined} mini={mini.offered} onClose={() => setDialog(null)} /> : null}
      </Suspense>
    </div>
  )
}

/** Whether it has been so at any time: what was loaded for it stays, to tell of its end. */
function useEver(now: boolean): boolean {
  const [ever, setEver] = useState(now)
  if (now && !ever) setEver(true)
  return ever || now
}

/** What the hosts have not forbidden to all; themselves they forbid nothing. */
function mayDo(state: CallState, host: HostSide | undefined): { hand: boolean; react: boolean } {
  const may = (right: Right) => host !== undefined || !state.moderation.forbidden.includes(right)
  return { hand: may('hand'), react: may('react') }
}

function useLeave(call: Call): () => void {
  return () => {
    if (sounds('leave')) play('leave')
    call.leave()
  }
}

/** Pins somebody or takes the pin out, in words. */
function usePin(call: Call): (identity: string) => void {
  const t = useT()
  return (identity) => {
    const name = call.state.get().people.find((person) => person.identity === identity)?.name ?? ''
    announce(t(call.view.state.get().pins.includes(identity) ? 'pin.out.said' : 'pin.said', { name }))
    call.view.togglePin(identity)
  }
}

/** A screen that stood among the tiles of the grid. */
function showLarge({ view }: Call, identity: string): void {
  view.chooseShare(identity)
  if (view.state.get().layout === 'grid') view.setLayout('auto')
}

interface CallBarProps {
  call: Call
  state: CallState
  host?: HostSide
  panel: PanelName | null
  onPanel: (name: PanelName) => void
  acts: { share: () => void; leave: () => void; timer: () => void; record: (() => void) | null; help: () => void; settings: () => void }
}

function CallBar({ call, state, host, panel, onPanel, acts }: CallBarProps) {
  const { unread } = useStore(call.chat.state)
  const { talk } = useStore(preferences)
  const hand = state.people.find((person) => person.self)?.hand ?? 0
  return (
    <ControlBar
      self={state.self} count={state.people.length} unread={unread} hand={hand} may={mayDo(state, host)} panel={panel} onPanel={onPanel} phase={state.phase.is}
      {...(host ? { host: { waiting: host.waiting, endForAll: host.endForAll, timer: acts.timer, record: acts.record } } : {})}
      acts={{ mic: () => void call.toggleMic(), hold: talk === 'hold' ? (on) => void call.setMic(on) : null, cam: () => toggleCam(call), share: acts.share, hand: call.toggleHand, react: call.react, use: (kind, id) => choose(call, kind, id), help: acts.help, settings: acts.settings, leave: acts.leave }}
    />
  )
}

/** Whoever opens the camera wants pictures again. */
function toggleCam(call: Call): void {
  if (preferences.get().data !== 'sound') return void call.toggleCam()
  preferences.change({ data: 'full' })
  void call.setCam(true)
}

function choose(call: Call, kind: 'audioinput' | 'videoinput' | 'audiooutput', id: string): void {
  intents.change(kind === 'audioinput' ? { micID: id } : kind === 'videoinput' ? { camID: id } : { speakerID: id })
  void call.use(kind, id)
}
