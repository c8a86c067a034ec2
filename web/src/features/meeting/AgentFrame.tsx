import { Activity, Building2, ChevronDown, Disc, KeyRound, LogOut, MonitorSmartphone, ScrollText, ShieldCheck, User, Users } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Account } from '@/api'
import { Frame } from '@/features/frame'
import { NoticeBanner, type Notices } from '@/features/notices'
import { useT } from '@/i18n'
import { MenuButton } from '@/ui/overlays'
import './meeting.css'

/** What every agent's page is given. */
export interface AgentProps {
  account: Account
  onSignOut: () => void
  /** To another of the agents' pages, by its path. */
  go: (path: string) => void
  /** Where guests wait for the agent. */
  notices: Notices
}

/** The frame of an agent's pages: who is signed in, what is theirs to change, and the way out. */
export function AgentFrame({ account, onSignOut, go, notices, children }: AgentProps & { children: ReactNode }) {
  const t = useT()
  const menu = (
    <MenuButton
      label={t('account.menu', { name: account.name })} className="btn quiet"
      button={<><User aria-hidden="true" /><bdi className="account-name">{account.name}</bdi><ChevronDown aria-hidden="true" /></>}
      groups={[
        {
          entries: [
            ...(account.admin ? [{ id: 'health', label: t('health.title'), icon: <Activity aria-hidden="true" />, onAct: () => go('/health') }] : []),
            ...(account.admin || account.posts.some(({ role }) => role !== 'agent') ? [{ id: 'posts', label: t('posts.title'), icon: <Building2 aria-hidden="true" />, onAct: () => go('/posts') }] : []),
            ...(account.posts.some(({ role }) => role === 'administrator') ? [{ id: 'accounts', label: t('accounts.title'), icon: <Users aria-hidden="true" />, onAct: () => go('/accounts') }, { id: 'profiles', label: t('profiles.title'), icon: <ShieldCheck aria-hidden="true" />, onAct: () => go('/profiles') }] : []),
            ...(account.posts.some(({ role }) => role === 'auditor') ? [{ id: 'audit', label: t('audit.title'), icon: <ScrollText aria-hidden="true" />, onAct: () => go('/audit') }] : []),
            ...(account.posts.some(({ role }) => role !== 'auditor') ? [{ id: 'recordings', label: t('recs.title'), icon: <Disc aria-hidden="true" />, onAct: () => go('/recordings') }] : []),
            { id: 'own', label: t('own.title'), icon: <MonitorSmartphone aria-hidden="true" />, onAct: () => go('/account') },
            { id: 'password', label: t('password.change'), icon: <KeyRound aria-hidden="true" />, onAct: () => go('/password') },
          ],
        },
        { entries: [{ id: 'out', label: t('signin.out'), icon: <LogOut aria-hidden="true" className="flip" />, onAct: onSignOut }] },
      ]}
    />
  )
  return <Frame subtitle={t('frame.agents')} actions={menu}><NoticeBanner notices={notices} />{children}</Frame>
}
