// The call on the screen: top bar, tiles, one panel, control bar. Everything it shows comes from the view model.
import { MicOff, Undo2, X } from 'lucide-react'
import { useEffect, useState, type ReactNode } from 'react'
import { intents } from '@/call'
import type { Call, CallState, Over, Right, Role } from '@/call/live'
import { ChatPanel } from '@/features/chat'
import { ControlBar, KeysDialog, TimerDialog, useKeys, type PanelName } from '@/features/controls'
import { MediaHelp } from '@/features/devices'
import { PeoplePanel, usePersonMenu, type Moderating, type OnAll } from '@/features/people'
import { useT } from '@/i18n'
import { Button, play, useStore, useTitle } from '@/ui'
import { Voices } from './Media'
import { ModeratedNotices } from './Moderated'
import { NoHostHint } from './NoHostHint'
import { Panel } from './Panel'
import { useShareQuestion } from './ShareQuestion'
import { AwayPage, Reconnecting, useLongAway } from './Reconnecting'
import { Tiles } from './Tiles'
import { TopBar } from './TopBar'
import { useAwake } from './useAwake'
import { useCall, type Caller } from './useCall'
import { useCallNews } from './useCallNews'
import { Watermark } from './Watermark'
import './stage.css'

/** What a host has besides. */
export interface HostSide {
  waiting: number
  /** First of those who wait, for the notice. */
  firstWaiting: string
  lobby: ReactNode
  /** Acts on one person, and on everybody. */
  onOne: Moderating
  onAll: OnAll
  /** Those who wait in other meetings. */
  elsewhere: ReactNode
  /** Opens the dialog that makes a guest link. */
  invite: () => void
  endForAll: () => Promise<void>
}

interface Props {
  title: string
  caller: Caller
  onOver: (why: Over) => void
  host?: HostSide
  /** Told what one is in the meeting, and when that changes. */
  onRole?: (role: Role) => void
}

export function CallPage({ caller, onOver, onRole, ...rest }: Props) {
  const call = useCall(caller, onOver)
  useOwnRole(call, onRole)
  return <Stage call={call} {...rest} />
}

function useOwnRole(call: Call, onRole: Props['onRole']): void {
  const { people, phase } = useStore(call.state)
  const role = phase.is === 'live' ? people.find((person) => person.self)?.role : undefined
  useEffect(() => {
    if (role) onRole?.(role)
  }, [role, onRole])
}

function Stage({ call, title, host }: { call: Call; title: string; host?: HostSide }) {
  const t = useT()
  const state = useStore(call.state)
  const { keys, sounds } = useStore(intents)
  const { unread } = useStore(call.chat.state)
  const [panel, setPanel] = useState<PanelName | null>(null)
  const [help, setHelp] = useState(false)
  const [timing, setTiming] = useState(false)
  const [since] = useState(() => Date.now())
  const toggle = (name: PanelName) => setPanel((before) => (before === name ? null : name))
  useTitle(host && host.waiting > 0 ? t('stage.title.waiting', { n: host.waiting, title }) : title)
  const { share, question: shareQuestion } = useShareQuestion(call, state.people)
  const longAway = useLongAway(state.phase)
  useCallNews(call)
  const { menuOf, question } = usePersonMenu(host?.onOne, state.moderation, state.shares)
  useAwake()
  const leave = () => {
    if (sounds) play('leave')
    call.leave()
  }
  const may = (right: Right) => host !== undefined || !state.moderation.forbidden.includes(right)
  useKeys(keys, {
    keys: {
      m: () => void call.toggleMic(),
      v: () => void call.toggleCam(),
      s: () => {
        if (state.self.can.share) share()
      },
      c: () => toggle('chat'),
      p: () => toggle('people'),
      ...(may('hand') ? { h: call.toggleHand } : {}),
      ...(host ? { l: () => toggle('lobby') } : {}),
      '?': () => setHelp(true),
    },
    talk: (on) => void (state.self.can.speak && call.setMic(on)),
    region: goToRegion,
    escape: () => setPanel(null),
  })
  if (longAway && state.phase.is === 'reconnecting') {
    return <div className="call" data-phase={state.phase.is}><AwayPage phase={state.phase} retry={call.retryNow} leave={leave} /></div>
  }
  return (
    <div className={`call ${panel ? 'with-panel' : ''} ${state.phase.is === 'reconnecting' ? 'dimmed' : ''}`} data-phase={state.phase.is}>
      <TopBar
        title={title} state={state} since={since} {...(host ? { onTimer: () => setTiming(true) } : {})}
        notice={
          <>
            {state.talksMuted ? <button type="button" className="sc bad" onClick={() => void call.setMic(true)}><MicOff aria-hidden="true" /><span>{t('stage.muted.talking')}</span></button> : null}
            {host?.elsewhere}
            {host && panel !== 'lobby' ? <KnockNotice host={host} onOpen={() => setPanel('lobby')} /> : null}
          </>
        }
      />
      <main id="main" className="floor" data-region="tiles" tabIndex={-1}>
        <ModeratedNotices call={call} state={state} />
        <Notices call={call} state={state} alone={Boolean(host) && state.people.length < 2} />
        <Tiles people={state.people} shares={state.shares} spotlight={state.moderation.spotlight} menuOf={menuOf} reactions={state.reactions} />
        <Watermark call={call} />
        {state.phase.is === 'reconnecting' ? <Reconnecting phase={state.phase} retry={call.retryNow} /> : null}
        {state.mustTap ? <button type="button" className="tap" onClick={() => void call.resume()}>{t('stage.tap')}</button> : null}
      </main>
      <ThePanel panel={panel} call={call} state={state} menuOf={menuOf} {...(host ? { host } : {})} onClose={() => setPanel(null)} />
      <ControlBar
        self={state.self} count={state.people.length} unread={unread} hand={state.people.find((person) => person.self)?.hand ?? 0} may={{ hand: may('hand'), react: may('react') }} panel={panel} onPanel={toggle} phase={state.phase.is}
        {...(host ? { host: { waiting: host.waiting, endForAll: host.endForAll, timer: () => setTiming(true) } } : {})}
        acts={{ mic: () => void call.toggleMic(), cam: () => void call.toggleCam(), share, hand: call.toggleHand, react: call.react, use: (kind, id) => choose(call, kind, id), help: () => setHelp(true), leave }}
      />
      <Voices people={state.people} shares={state.shares} />
      {question}
      {shareQuestion}
      {host ? <TimerDialog open={timing} running={state.timer !== null} set={call.setTimer} onClose={() => setTiming(false)} /> : null}
      <KeysDialog open={help} host={host !== undefined} onClose={() => setHelp(false)} />
    </div>
  )
}

function choose(call: Call, kind: 'audioinput' | 'videoinput' | 'audiooutput', id: string): void {
  intents.change(kind === 'audioinput' ? { micID: id } : kind === 'videoinput' ? { camID: id } : { speakerID: id })
  void call.use(kind, id)
}

function KnockNotice({ host, onOpen }: { host: HostSide; onOpen: () => void }) {
  const t = useT()
  if (host.waiting === 0) return null
  return <button type="button" className="sc knocking" onClick={onOpen}><span>{t('sr.knock', { n: host.waiting, name: host.firstWaiting })}</span></button>
}

/** What must be read now, above the tiles and never over a face. */
function Notices({ call, state, alone }: { call: Call; state: CallState; alone: boolean }) {
  const t = useT()
  const { problem } = state.self
  return (
    <>
      {problem ? (
        <div className="notice">
          <MediaHelp kind={problem.kind} why={problem.why} />
          <Button aria-label={t('common.close')} icon={<X aria-hidden="true" />} onClick={call.dismissProblem} />
        </div>
      ) : null}
      {state.noHost && state.phase.is === 'live' ? <NoHostHint told={state.noHost} /> : null}
      {state.quality === 'weak' && state.phase.is === 'live' ? <p className="hint">{t('stage.weak')}</p> : null}
      {state.lowering ? (
        <p className="hint" role="status">
          {t(state.lowering.identity === null ? 'hands.lowered' : 'hands.lowered.one')}{' '}
          <Button icon={<Undo2 aria-hidden="true" />} onClick={call.undoLowering}>{t('lobbyp.undo')}</Button>
        </p>
      ) : null}
      {alone && state.phase.is === 'live' ? <p className="hint">{t('stage.alone')}</p> : null}
    </>
  )
}

interface PanelProps {
  panel: PanelName | null
  call: Call
  state: CallState
  menuOf: ReturnType<typeof usePersonMenu>['menuOf']
  host?: HostSide
  onClose: () => void
}

function ThePanel({ panel, call, state, menuOf, host, onClose }: PanelProps) {
  const t = useT()
  if (panel === 'lobby' && host) return <Panel key="lobby" title={t('lobbyp.title')} count={host.waiting} onClose={onClose}>{host.lobby}</Panel>
  if (panel === 'people') return <Panel key="people" title={t('ctl.people')} count={state.people.length} onClose={onClose}><PeoplePanel people={state.people} moderation={state.moderation} menuOf={menuOf} {...(host ? { host: { ...host, lower: call.lower } } : {})} /></Panel>
  if (panel === 'chat') return <Panel key="chat" title={t('ctl.chat')} onClose={onClose}><ChatPanel chat={call.chat} allowed={state.self.can.chat} people={state.people} host={host !== undefined} privately={state.profile?.privately ?? 'off'} /></Panel>
  return null
}

const regions = ['bar', 'tiles', 'panel', 'top']

/** F6: round bar, tiles, panel, top, so that a long lobby is never in the way of the microphone. */
function goToRegion(step: 1 | -1): void {
  const present = regions.map((name) => document.querySelector<HTMLElement>(`[data-region="${name}"]`)).filter((element) => element !== null)
  const at = present.findIndex((element) => element.contains(document.activeElement))
  const next = present[(at + step + present.length) % present.length]
  const target = next?.matches('[tabindex]') ? next : next?.querySelector<HTMLElement>('h1[tabindex], h2[tabindex], button, [tabindex]')
  target?.focus()
}
