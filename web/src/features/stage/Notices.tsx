// What must be read now: above the tiles and never over a face, or in the top bar.
import { MicOff, Undo2, X } from 'lucide-react'
import type { Call, CallState } from '@/call/live'
import { MediaHelp } from '@/features/devices'
import { useT } from '@/i18n'
import { Button } from '@/ui'
import type { HostSide } from './hostSide'
import { NoHostHint } from './NoHostHint'

export function Notices({ call, state, alone }: { call: Call; state: CallState; alone: boolean }) {
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
          <Button icon={<Undo2 aria-hidden="true" className="flip" />} onClick={call.undoLowering}>{t('lobbyp.undo')}</Button>
        </p>
      ) : null}
      {alone && state.phase.is === 'live' ? <p className="hint">{t('stage.alone')}</p> : null}
    </>
  )
}

interface BarProps {
  call: Call
  state: CallState
  host?: HostSide
  lobbyOpen: boolean
  onLobby: () => void
}

/** In the top bar: that one talks with the microphone off, and who knocks while the lobby panel is closed. */
export function BarNotices({ call, state, host, lobbyOpen, onLobby }: BarProps) {
  const t = useT()
  return (
    <>
      {state.talksMuted ? <button type="button" className="sc bad" onClick={() => void call.setMic(true)}><MicOff aria-hidden="true" /><span>{t('stage.muted.talking')}</span></button> : null}
      {host?.elsewhere}
      {host && !lobbyOpen && host.waiting > 0 ? <button type="button" className="sc knocking" onClick={onLobby}><span>{t('sr.knock', { n: host.waiting, name: host.firstWaiting })}</span></button> : null}
    </>
  )
}
