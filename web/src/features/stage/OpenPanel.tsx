import { Suspense } from 'react'
import type { Call, CallState } from '@/call/live'
import type { PanelName } from '@/features/controls'
import { Loading } from '@/features/frame'
import type { usePersonMenu } from '@/features/people'
import { useT } from '@/i18n'
import { useStore } from '@/ui'
import type { HostSide } from './hostSide'
import { Panel } from './Panel'
import { ChatPanel, PeoplePanel } from './parts'

interface Props {
  panel: PanelName | null
  call: Call
  state: CallState
  menuOf: ReturnType<typeof usePersonMenu>['menuOf']
  host?: HostSide
  onClose: () => void
}

/** The panel that is open, if one is. */
export function OpenPanel({ panel, call, state, menuOf, host, onClose }: Props) {
  const t = useT()
  const view = useStore(call.view.state)
  if (panel === 'lobby' && host) return <Panel key="lobby" title={t('lobbyp.title')} count={host.waiting} onClose={onClose}>{host.lobby}</Panel>
  if (panel === 'people') {
    return (
      <Panel key="people" title={t('ctl.people')} count={state.people.length} onClose={onClose}>
        <Suspense fallback={<Loading />}>
          <PeoplePanel people={state.people} moderation={state.moderation} view={view} menuOf={menuOf} {...(host ? { host: { ...host, lower: call.lower } } : {})} />
        </Suspense>
      </Panel>
    )
  }
  if (panel === 'chat') {
    return (
      <Panel key="chat" title={t('ctl.chat')} onClose={onClose}>
        <Suspense fallback={<Loading />}>
          <ChatPanel chat={call.chat} files={call.files} allowed={state.self.can.chat} sends={state.self.can.files} people={state.people} host={host !== undefined} privately={state.profile?.privately ?? 'off'} keptDays={state.profile?.keepChatDays ?? 0} />
        </Suspense>
      </Panel>
    )
  }
  return null
}
