// Questions that come before a decision: with what rights, with what words, and whether for good.
import { Camera, MessageSquare, Mic, MonitorUp, Paperclip } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import type { Knock, Permissions } from '@/api'
import { useT, Words } from '@/i18n'
import { Button, Field, Switch } from '@/ui'
import { Confirm, Dialog } from '@/ui/overlays'

const rights = [
  ['speak', <Mic key="i" aria-hidden="true" />],
  ['camera', <Camera key="i" aria-hidden="true" />],
  ['share', <MonitorUp key="i" aria-hidden="true" />],
  ['chat', <MessageSquare key="i" aria-hidden="true" />],
  ['files', <Paperclip key="i" aria-hidden="true" />],
] as const satisfies readonly (readonly [keyof Permissions, ReactNode])[]

interface RightsProps {
  name: string
  /** What they may do now; what is absent, they may. */
  permissions: Permissions
  /** Observers may be given the chat alone. */
  observer?: boolean
  /** What the button says. */
  act: string
  onAct: (permissions: Permissions) => void
  onClose: () => void
}

/** What somebody may do: given with an admission, or changed in the call. */
export function RightsDialog({ name, permissions, observer = false, act, onAct, onClose }: RightsProps) {
  const t = useT()
  const [given, setGiven] = useState<Permissions>({ speak: true, camera: true, share: true, chat: true, files: true, ...permissions })
  return (
    <Dialog title={<Words id="rights.title" values={{ name: <bdi>{name}</bdi> }} />} open onClose={onClose} closeLabel={t('common.close')}>
      <div className="rights">
        {rights.filter(([right]) => !observer || right === 'chat').map(([right, icon]) => (
          <Switch key={right} icon={icon} label={t(`rights.${right}`)} says={t(given[right] ? 'rights.yes' : 'rights.no')} on={given[right] ?? true} onChange={(on) => setGiven({ ...given, [right]: on })} />
        ))}
      </div>
      <div className="acts">
        <Button onClick={onClose}>{t('common.cancel')}</Button>
        <Button kind="primary" onClick={() => { onAct(given); onClose() }}>{act}</Button>
      </div>
    </Dialog>
  )
}

export function DenyDialog({ knock, onDeny, onClose }: { knock: Knock; onDeny: (message: string) => void; onClose: () => void }) {
  const t = useT()
  const [message, setMessage] = useState('')
  return (
    <Dialog title={<Words id="lobbyp.deny.title" values={{ name: <bdi>{knock.name}</bdi> }} />} open onClose={onClose} closeLabel={t('common.close')}>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); onDeny(message.trim()); onClose() }}>
        <Field label={t('lobbyp.deny.message')} hint={t('lobbyp.deny.hint')} maxLength={500} dir="auto" autoComplete="off" value={message} onChange={(event) => setMessage(event.target.value)} />
        <div className="acts">
          <Button onClick={onClose}>{t('common.cancel')}</Button>
          <Button kind="danger" type="submit">{t('lobbyp.deny')}</Button>
        </div>
      </form>
    </Dialog>
  )
}

/** Says honestly by what a person is known again, and so what keeps them out and what does not. */
export function BanDialog({ knock, onBan, onClose }: { knock: Knock; onBan: () => void | Promise<void>; onClose: () => void }) {
  const t = useT()
  return (
    <Confirm open onClose={onClose} cancel={t('common.cancel')} act={t('lobbyp.ban.act')} title={<Words id="lobbyp.ban.title" values={{ name: <bdi>{knock.name}</bdi> }} />} onAct={onBan}>
      <p>{t(`lobbyp.ban.${knock.known_by}`)}</p>
      <p>{t('lobbyp.ban.until')}</p>
    </Confirm>
  )
}
