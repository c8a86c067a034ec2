import { intents } from '@/call'
import { Keyboard } from 'lucide-react'
import { useT } from '@/i18n'
import { Switch, useStore } from '@/ui'
import { Dialog } from '@/ui/overlays'

interface Props {
  host: boolean
  /** The browser has small windows above all others. */
  mini: boolean
  onClose: () => void
}

/** The keys, and the switch that turns them all off. */
export function KeysDialog({ host, mini, onClose }: Props) {
  const t = useT()
  const { keys } = useStore(intents)
  const rows: [string, string][] = [
    ['M', 'keys.mic'], ['V', 'keys.cam'], ['S', 'keys.share'], ['C', 'keys.chat'], ['P', 'keys.people'], ['H', 'keys.hand'],
    ...(host ? ([['L', 'keys.lobby'], ['A', 'keys.admit'], ['R', 'keys.refuse']] as [string, string][]) : []),
    ...(document.fullscreenEnabled ? ([['F', 'keys.full']] as [string, string][]) : []), ...(mini ? ([['I', 'keys.mini']] as [string, string][]) : []), ['E', 'keys.pin'], [t('keys.arrows'), 'keys.tiles'],
    [t('keys.space'), 'keys.talk'], ['F6', 'keys.regions'], ['?', 'keys.help'],
  ]
  return (
    <Dialog open onClose={onClose} closeLabel={t('common.close')} title={t('keys.title')}>
      <dl className="keys">
        {rows.map(([key, id]) => (
          <div key={id}>
            <dt><kbd>{key}</kbd></dt>
            <dd>{t(id)}</dd>
          </div>
        ))}
      </dl>
      <Switch on={keys} onChange={(on) => intents.change({ keys: on })} icon={<Keyboard aria-hidden="true" />} label={t('keys.switch')} says={t(keys ? 'keys.on' : 'keys.off')} />
    </Dialog>
  )
}
