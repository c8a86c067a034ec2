import { Clock, Lock, MonitorUp, ShieldCheck, Signal, SignalLow, Users, WifiOff } from 'lucide-react'
import type { ReactNode } from 'react'
import type { CallState, ProfileInForce } from '@/call/live'
import { useLang, useT } from '@/i18n'
import { Heading, useNow } from '@/ui'

interface Props {
  title: string
  state: CallState
  since: number
  /** Who knocks, while the lobby panel is closed. */
  notice?: ReactNode
}

export function TopBar({ title, state, since, notice }: Props) {
  const t = useT()
  const outside = state.people.filter((person) => person.outside && !person.self).length
  return (
    <header className="ctop" data-region="top">
      <Heading><bdi>{title}</bdi></Heading>
      <Profile profile={state.profile} />
      {outside > 0 ? <span className="sc hide-s"><Users aria-hidden="true" />{t('stage.outside', { n: outside })}</span> : null}
      {state.moderation.locked ? <span className="sc" role="img" aria-label={t('mod.locked')} title={t('mod.locked')}><Lock aria-hidden="true" /><span className="hide-s">{t('mod.locked.short')}</span></span> : null}
      <span className="space" />
      {notice}
      {state.self.sharing ? <span className="sc on"><MonitorUp aria-hidden="true" />{t('stage.sharing')}</span> : null}
      <Timer since={since} />
      <Connection state={state} />
    </header>
  )
}

/** The security profile in force; its sentence says what it means. */
function Profile({ profile }: { profile: ProfileInForce | null }) {
  const t = useT()
  const lang = useLang()
  const sentence = profile?.sentence[lang] ?? profile?.sentence['fr'] ?? t('profile.standard')
  return <span className="sc hide-s" title={sentence}><ShieldCheck aria-hidden="true" />{profile?.name[lang] ?? profile?.name['fr'] ?? t('meeting.profile.standard')}</span>
}

function Timer({ since }: { since: number }) {
  const seconds = Math.max(0, Math.floor((useNow(1000) - since) / 1000))
  const two = (n: number) => String(n).padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  return <span className="sc num hide-s" role="timer"><Clock aria-hidden="true" />{hours > 0 ? `${hours}:` : ''}{two(Math.floor(seconds / 60) % 60)}:{two(seconds % 60)}</span>
}

function Connection({ state }: { state: CallState }) {
  const t = useT()
  const { phase, quality } = state
  if (phase.is === 'joining') return <span className="sc" role="status">{t('stage.joining')}</span>
  if (phase.is === 'reconnecting' || quality === 'lost') return <span className="sc bad" role="status" data-testid="connection"><WifiOff aria-hidden="true" />{t('stage.reconnecting')}</span>
  return quality === 'weak'
    ? <span className="sc bad" role="status" data-testid="connection"><SignalLow aria-hidden="true" />{t('stage.quality.weak')}</span>
    : <span className="sc hide-s" role="status" data-testid="connection"><Signal aria-hidden="true" />{t('stage.quality.good')}</span>
}
