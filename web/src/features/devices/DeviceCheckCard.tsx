// The device check as one card: in the lobby and before an agent enters. Devices open by a press.
import { Mic, RotateCcw, Settings, Unplug, Video, VideoOff, Volume2 } from 'lucide-react'
import { lazy, Suspense, useEffect, useId, useRef, useState } from 'react'
import { DeviceCheck, intents, listenWithWebAudio, type CheckState, type Device, type Opened } from '@/call'
import { canBlur } from '@/call/effects/able'
import { checkBlur } from '@/call/effects/checked'
import { useT } from '@/i18n'
import { Button, patiently, play, SelectField, useStore } from '@/ui'
import { BlurField } from './BlurField'
import { EchoTest } from './EchoTest'
import { IntentSwitches } from './IntentSwitches'
import { MediaHelp } from './MediaHelp'
import { NetworkTest } from './NetworkTest'
import './devices.css'

const SettingsDialog = lazy(() => patiently(() => import('@/features/settings')).then((module) => ({ default: module.SettingsDialog })))

/** bearer: of a guest, for the network test. */
export function DeviceCheckCard({ bearer }: { bearer?: string | undefined }) {
  const t = useT()
  const title = useId()
  const check = useCheck()
  const state = useStore(check.state)
  const [settings, setSettings] = useState(false)
  const started = state.mic.is !== 'off' || state.cam.is !== 'off'
  const start = () => {
    const { micID, camID } = intents.get()
    void check.open('mic', micID)
    void check.open('cam', camID)
  }
  const stop = () => {
    check.close('mic')
    check.close('cam')
  }
  return (
    <section className="card check" aria-labelledby={title}>
      <div className="view">
        <Picture cam={state.cam} />
        {started ? null : <p className="sm muted">{t('devices.press')}</p>}
        {started ? null : <Button onClick={start}>{t('devices.ask')}</Button>}
      </div>
      <div className="body">
        <h2 id={title}>{t(state.cam.is === 'on' ? 'devices.private' : 'devices.title')}</h2>
        <IntentSwitches />
        {started ? <Found state={state} check={check} retry={start} /> : null}
        <SpeakerTest speakers={state.speakers} />
        <NetworkTest bearer={bearer} />
        <Button icon={<Settings aria-hidden="true" />} onClick={() => setSettings(true)}>{t('settings.title')}</Button>
        {settings ? <Suspense><SettingsDialog onClose={() => setSettings(false)} /></Suspense> : null}
        {runs(state.mic) || runs(state.cam) ? <Button kind="quiet" icon={<VideoOff aria-hidden="true" />} onClick={stop}>{t('devices.stop')}</Button> : null}
      </div>
    </section>
  )
}

function runs(device: Opened): boolean {
  return device.is === 'on' || device.is === 'asking'
}

function useCheck(): DeviceCheck {
  const [check] = useState(() => new DeviceCheck(navigator.mediaDevices, listenWithWebAudio, checkBlur))
  useEffect(() => () => check.dispose(), [check])
  return check
}

function Picture({ cam }: { cam: Opened }) {
  const video = useRef<HTMLVideoElement>(null)
  const stream = cam.is === 'on' ? cam.stream : null
  useEffect(() => {
    if (video.current) video.current.srcObject = stream
  }, [stream])
  return (
    <>
      {stream ? null : <span className="mark" aria-hidden="true">{cam.is === 'failed' ? <VideoOff /> : <Video />}</span>}
      <video ref={video} className="mirror" autoPlay playsInline muted hidden={!stream} data-testid="own-picture" />
    </>
  )
}

function Found({ state, check, retry }: { state: CheckState; check: DeviceCheck; retry: () => void }) {
  const t = useT()
  const { mic, cam } = state
  // What is said of both in the same words is said once.
  const both = cam.is === 'failed' && mic.is === 'failed' && cam.why === mic.why && (cam.why === 'refused' || cam.why === 'unknown')
  return (
    <>
      {cam.is === 'failed' ? <MediaHelp kind="cam" why={cam.why} /> : null}
      {mic.is === 'failed' && !both ? <MediaHelp kind="mic" why={mic.why} /> : null}
      {mic.is === 'failed' || cam.is === 'failed' ? <Button icon={<RotateCcw aria-hidden="true" />} onClick={retry}>{t('common.retry')}</Button> : null}
      {mic.is === 'on' ? <Meter level={state.level} verdict={t(`devices.mic.${state.verdict}`)} silent={state.verdict === 'silent'} /> : null}
      {mic.is === 'on' ? <EchoTest stream={mic.stream} /> : null}
      {mic.is === 'on' && mic.instead ? <Instead kind="mic" /> : null}
      {mic.is === 'on' && state.mics.length > 0 ? <Choice label={t('devices.mic.used')} devices={state.mics} value={mic.deviceID} choose={(id) => { intents.change({ micID: id }); void check.open('mic', id) }} /> : null}
      {cam.is === 'on' && cam.instead ? <Instead kind="cam" /> : null}
      {cam.is === 'on' && state.cams.length > 0 ? <Choice label={t('devices.cam.used')} devices={state.cams} value={cam.deviceID} choose={(id) => { intents.change({ camID: id }); void check.open('cam', id) }} /> : null}
      {cam.is === 'on' && canBlur() ? <BlurField /> : null}
      {cam.is === 'on' && state.noBlur ? <MediaHelp kind="cam" why={state.noBlur} /> : null}
    </>
  )
}

/** The chosen device is not here; the one that took its place is named below. */
function Instead({ kind }: { kind: 'mic' | 'cam' }) {
  const t = useT()
  return <p className="note" role="status" data-testid={`${kind}-instead`}><Unplug aria-hidden="true" /><span>{t(`devices.${kind}.instead`)}</span></p>
}

function Choice({ label, devices, value, choose }: { label: string; devices: readonly Device[]; value: string; choose: (id: string) => void }) {
  const t = useT()
  return (
    <SelectField label={label} value={value} onChange={(event) => choose(event.target.value)}>
      {devices.map((device, i) => (
        <option key={device.id} value={device.id}>{device.label || t('devices.nameless', { n: i + 1 })}</option>
      ))}
    </SelectField>
  )
}

const segments = Array.from({ length: 12 }, (_, i) => i)

function Meter({ level, verdict, silent }: { level: number; verdict: string; silent: boolean }) {
  return (
    <div className="sm">
      <p className="row tight">
        <Mic aria-hidden="true" />
        <span role="status" className={silent ? 'warned' : ''}>{verdict}</span>
      </p>
      <div className="meter" aria-hidden="true" data-testid="mic-meter" data-level={level}>
        {segments.map((i) => <i key={i} className={level * segments.length > i ? 'on' : ''} />)}
      </div>
    </div>
  )
}

function SpeakerTest({ speakers }: { speakers: readonly Device[] }) {
  const t = useT()
  const { speakerID } = useStore(intents)
  const [asked, setAsked] = useState(false)
  return (
    <>
      {speakers.length > 1 ? <Choice label={t('devices.speaker.used')} devices={speakers} value={speakerID ?? speakers[0]?.id ?? ''} choose={(id) => intents.change({ speakerID: id })} /> : null}
      <div className="row">
        <Button icon={<Volume2 aria-hidden="true" />} onClick={() => { play('test', speakerID); setAsked(true) }}>{t('devices.speaker')}</Button>
        <span className="sm muted" role="status">{asked ? t('devices.speaker.asked') : ''}</span>
      </div>
    </>
  )
}
