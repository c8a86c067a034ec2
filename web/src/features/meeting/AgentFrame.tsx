import { LogOut } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Account } from '@/api'
import { Frame } from '@/features/frame'
import { useT } from '@/i18n'
import { Button } from '@/ui'

interface Props {
  account: Account
  onSignOut: () => void
  children: ReactNode
}

/** The frame of an agent's pages: who is signed in, and the way out. */
export function AgentFrame({ account, onSignOut, children }: Props) {
  const t = useT()
  const actions = (
    <>
      <bdi className="account">{account.name}</bdi>
      <Button kind="quiet" icon={<LogOut aria-hidden="true" />} onClick={onSignOut} aria-label={t('signin.out')} className="wordless"><span>{t('signin.out')}</span></Button>
    </>
  )
  return <Frame subtitle={t('frame.agents')} actions={actions}>{children}</Frame>
}
