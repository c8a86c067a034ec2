// What a host may do to everybody at once: one menu above the people.
import { ChevronDown, FileX, Lock, LockOpen, MessageSquare, MessageSquareOff, Mic, MicOff, MonitorUp, MonitorX, Paperclip, Speech, Video, VideoOff } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Moderation, Right } from '@/call/live'
import { useT } from '@/i18n'
import { MenuButton } from '@/ui/overlays'

/** Acts of a host on everybody but hosts; each is done when the server and the call have obeyed. */
export interface OnAll {
  muteAll: () => void
  askAll: () => void
  allow: (right: Right, may: boolean) => void
  lock: (locked: boolean) => void
}

const rights = [
  ['speak', <Mic key="i" aria-hidden="true" />, <MicOff key="i" aria-hidden="true" />],
  ['camera', <Video key="i" aria-hidden="true" />, <VideoOff key="i" aria-hidden="true" />],
  ['share', <MonitorUp key="i" aria-hidden="true" />, <MonitorX key="i" aria-hidden="true" />],
  ['chat', <MessageSquare key="i" aria-hidden="true" />, <MessageSquareOff key="i" aria-hidden="true" />],
  ['files', <Paperclip key="i" aria-hidden="true" />, <FileX key="i" aria-hidden="true" />],
] as const satisfies readonly (readonly [Right, ReactNode, ReactNode])[]

export function ForAll({ acts, moderation }: { acts: OnAll; moderation: Moderation }) {
  const t = useT()
  const { locked, forbidden } = moderation
  return (
    <MenuButton
      label={t('mod.all')} className="btn secondary for-all" placement="bottom" button={<><span>{t('mod.all')}</span><ChevronDown aria-hidden="true" /></>}
      groups={[
        {
          entries: [
            { id: 'mute', label: t('mod.all.mute'), icon: <MicOff aria-hidden="true" />, onAct: acts.muteAll },
            ...(forbidden.includes('speak') ? [] : [{ id: 'ask', label: t('mod.all.ask'), icon: <Speech aria-hidden="true" />, onAct: acts.askAll }]),
          ],
        },
        {
          title: t('mod.all.rights'),
          entries: rights.map(([right, allowed, not]) => {
            const may = !forbidden.includes(right)
            return { id: right, label: t(may ? `mod.all.forbid.${right}` : `mod.all.allow.${right}`), icon: may ? not : allowed, onAct: () => acts.allow(right, !may) }
          }),
        },
        { entries: [{ id: 'lock', label: t(locked ? 'mod.unlock' : 'mod.lock'), icon: locked ? <LockOpen aria-hidden="true" /> : <Lock aria-hidden="true" />, onAct: () => acts.lock(!locked) }] },
      ]}
    />
  )
}
