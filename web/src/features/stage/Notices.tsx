// What must be read now: above the tiles and never over a face, or in the top bar.
import { MicOff, Undo2, X } from 'lucide-react'
import type { Call, CallState } from '@/call/live'
import { preferences } from '@/call/preferences'
import { MediaHelp } from '@/features/devices'
import { useT } from '@/i18n'
import { Button, useStore } from '@/ui'
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
      {state.phase.is === 'live' ? <Chosen weak={state.quality === 'weak'} /> : null}
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

/** What one has chosen that others may wonder about, and the choice to make on a weak connection. */
function Chosen({ weak }: { weak: boolean }) {
  const t = useT()
  const { data, talk } = useStore(preferences)
  const choose = (data: 'full' | 'sound') => preferences.change({ data })
  return (
    <>
      {data === 'sound' ? <p className="hint" role="status" data-testid="sound-only">{t('stage.soundonly')} <Button onClick={() => choose('full')}>{t('stage.pictures')}</Button></p> : null}
      {weak && data !== 'sound' ? <p className="hint">{t('stage.weak')} <Button onClick={() => choose('sound')}>{t('stage.audioonly')}</Button></p> : null}
      {talk === 'hold' ? <p className="hint" role="status">{t('stage.hold')}</p> : null}
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
