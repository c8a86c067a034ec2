// What must be read now: above the tiles and never over a face, or in the top bar.
import { MicOff, Undo2, X } from 'lucide-react'
import type { Call, CallState, Gone, SteppedDown } from '@/call/live'
import { preferences } from '@/call/preferences'
import { MediaHelp } from '@/features/devices'
import { useT } from '@/i18n'
import { Button, useStore } from '@/ui'
import { DevicesGone } from './DevicesGone'
import type { HostSide } from './hostSide'
import { NoHostHint } from './NoHostHint'

export function Notices({ call, state, alone, onDevices }: { call: Call; state: CallState; alone: boolean; onDevices: (kind: Gone['kind']) => void }) {
  const t = useT()
  const { problem } = state.self
  return (
    <>
      {problem ? (
        <div className="notice">
          <MediaHelp kind={problem.kind} why={problem.why} inCall />
          <Button aria-label={t('common.close')} icon={<X aria-hidden="true" />} onClick={call.dismissProblem} />
        </div>
      ) : null}
      <DevicesGone call={call} gone={state.unplugged} onChoose={onDevices} />
      {state.noHost && state.phase.is === 'live' ? <NoHostHint told={state.noHost} /> : null}
      {state.phase.is === 'live' ? <Chosen call={call} state={state} /> : null}
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

/** What one has chosen that others may wonder about, what the path has made of it, and the choice to make on a weak connection. */
function Chosen({ call, state }: { call: Call; state: CallState }) {
  const t = useT()
  const { data, talk } = useStore(preferences)
  const choose = (data: 'full' | 'sound') => preferences.change({ data })
  const { steppedDown } = state
  return (
    <>
      {data === 'sound' ? <p className="hint" role="status" data-testid="sound-only">{t('stage.soundonly')} <Button onClick={() => choose('full')}>{t('stage.pictures')}</Button></p> : null}
      {steppedDown ? <Smaller call={call} {...steppedDown} /> : null}
      {state.quality === 'weak' && data !== 'sound' && !steppedDown ? <p className="hint">{t('stage.weak')} <Button onClick={() => choose('sound')}>{t('stage.audioonly')}</Button></p> : null}
      {talk === 'hold' ? <p className="hint" role="status">{t('stage.hold')}</p> : null}
    </>
  )
}

/** One's own picture is smaller than one wants it, or away. */
function Smaller({ call, step, why, kept }: { call: Call } & SteppedDown) {
  const t = useT()
  const away = step === 'off'
  return (
    <p className="hint" role="status" data-testid="stepped-down">
      {t(away ? 'stage.own.off' : `stage.own.${why}`)}{' '}
      {kept || why === 'device' ? null : <Button onClick={() => void call.keepPicture()}>{t('stage.own.keep')}</Button>}
      {away ? <Button onClick={() => void call.setCam(false)}>{t('stage.own.leave')}</Button> : <Button onClick={() => preferences.change({ data: 'sound' })}>{t('stage.audioonly')}</Button>}
    </p>
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
