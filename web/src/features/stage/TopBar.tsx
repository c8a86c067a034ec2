import { CircleDot, Clock, Hourglass, Lock, MonitorUp, ShieldCheck, Signal, Users, WifiOff } from 'lucide-react'
import { useEffect, useEffectEvent, type ReactNode } from 'react'
import type { CallState, ProfileInForce, RecordingTold, Timer } from '@/call/live'
import { Said, said, useLang, useT } from '@/i18n'
import { announce, Heading, useNow } from '@/ui'

interface Props {
  title: string
  state: CallState
  since: number
  /** Who knocks, while the lobby panel is closed. */
  notice?: ReactNode
  /** How one looks on. */
  views: ReactNode
  /** Opens what there is to know and to answer about the recording. */
  onRecording: () => void
  /** Opens the sheet about the connection. */
  onConnection: () => void
  /** Opens the timer's dialog; for hosts. */
  onTimer?: () => void
}

export function TopBar({ title, state, since, notice, views, onConnection, onRecording, onTimer }: Props) {
  const t = useT()
  const outside = state.people.filter((person) => person.outside && !person.self).length
  return (
    <header className="ctop" data-region="top">
      <Heading><bdi>{title}</bdi></Heading>
      <Profile profile={state.profile} />
      {state.recording ? <Recorded told={state.recording} own={state.people.find((person) => person.self)?.recorded ?? null} onPress={onRecording} /> : null}
      {outside > 0 ? <span className="sc hide-s"><Users aria-hidden="true" />{t('stage.outside', { n: outside })}</span> : null}
      {state.moderation.locked ? <span className="sc" role="img" aria-label={t('mod.locked')} title={t('mod.locked')}><Lock aria-hidden="true" /><span className="hide-s">{t('mod.locked.short')}</span></span> : null}
      <span className="space" />
      {notice}
      {state.self.sharing ? <span className="sc on"><MonitorUp aria-hidden="true" />{t('stage.sharing')}</span> : null}
      {state.timer ? <Countdown timer={state.timer} clock={state.clock} onPress={onTimer} /> : null}
      <Elapsed since={since} />
      <Connection state={state} onPress={onConnection} />
      {views}
    </header>
  )
}

/** The mark that nobody can hide; who presses it reads more, and may answer otherwise. */
function Recorded({ told, own, onPress }: { told: RecordingTold; own: boolean | null; onPress: () => void }) {
  const t = useT()
  return (
    <button type="button" className={`sc rec ${told.state}`} data-testid="recording" onClick={onPress}>
      <CircleDot aria-hidden="true" /><span>{t(`rec.state.${told.state}`)}</span>
      {own === false ? <span aria-hidden="true" className="brief">{t('rec.out.short')}</span> : null}
      {own === null ? null : <span className="vh">{t(own ? 'rec.in' : 'rec.out')}</span>}
    </button>
  )
}

/** The security profile in force; its sentence says what it means. */
function Profile({ profile }: { profile: ProfileInForce | null }) {
  const lang = useLang()
  if (!profile) return null
  return <span className="sc hide-s" title={said(profile.sentence, lang).text}><ShieldCheck aria-hidden="true" /><Said texts={profile.name} /></span>
}

function Elapsed({ since }: { since: number }) {
  return <span className="sc num hide-s" role="timer"><Clock aria-hidden="true" />{clockText((useNow(1000) - since) / 1000)}</span>
}

/** The host's timer, counted against the server's clock so that every screen says the same. */
function Countdown({ timer, clock, onPress }: { timer: Timer; clock: number; onPress: (() => void) | undefined }) {
  const t = useT()
  const left = Math.max(0, (timer.endsAt - (useNow(250) + clock)) / 1000)
  const over = left === 0
  const started = useEffectEvent(() => announce(t('sr.timer', { name: timer.startedBy })))
  useEffect(() => started(), [timer])
  useEffect(() => {
    if (over) announce(t('timer.over'))
  }, [over, t])
  const shown = <><Hourglass aria-hidden="true" /><span>{over ? t('timer.over') : clockText(Math.ceil(left))}</span></>
  const look = `sc num ${over ? 'over' : 'on'}`
  return onPress
    ? <button type="button" className={look} data-testid="timer" aria-label={t('timer.running', { left: over ? t('timer.over') : clockText(Math.ceil(left)) })} onClick={onPress}>{shown}</button>
    : <span className={look} role="timer" data-testid="timer" aria-label={t('timer.title')}>{shown}</span>
}

function clockText(of: number): string {
  const seconds = Math.max(0, Math.floor(of))
  const two = (n: number) => String(n).padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  return `${hours > 0 ? `${hours}:` : ''}${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
}

/** How one's own connection is, in a word; a press tells more. It is said aloud only when it stays weak (useCallNews), since it is no news that it is well. */
function Connection({ state, onPress }: { state: CallState; onPress: () => void }) {
  const t = useT()
  const { phase } = state
  if (phase.is === 'joining') return <span className="sc" role="status">{t('stage.joining')}</span>
  const quality = phase.is === 'reconnecting' ? 'lost' : state.quality
  const word = t(`stage.quality.${quality}`)
  return (
    <button type="button" className={`sc connection ${quality === 'weak' || quality === 'lost' ? 'bad' : ''}`} data-testid="connection" aria-label={t('stage.quality.more', { word })} title={word} onClick={onPress}>
      {quality === 'lost' ? <WifiOff aria-hidden="true" /> : <Signal aria-hidden="true" data-bars={quality} />}<span className="hide-s">{word}</span>
    </button>
  )
}
