// How loud one person is for whoever looks on: nobody else hears it so, and nobody is told.
import { Volume1, Volume2, VolumeX } from 'lucide-react'
import { useId } from 'react'
import type { Person, View } from '@/call/live'
import { useT, Words } from '@/i18n'
import { Switch, useStore } from '@/ui'
import { Dialog } from '@/ui/overlays'

/** In steps of so many hundredths. */
const step = 5

export function VolumeDialog({ person, view, onClose }: { person: Person | null; view: View; onClose: () => void }) {
  const t = useT()
  const id = useId()
  const { volumes, silenced } = useStore(view.state)
  const identity = person?.identity ?? ''
  const percent = Math.round((volumes[identity] ?? 1) * 100)
  const off = silenced.includes(identity)
  return (
    <Dialog open={person !== null} onClose={onClose} closeLabel={t('common.close')} title={<Words id="hear.volume.of" values={{ name: <bdi>{person?.name ?? ''}</bdi> }} />}>
      <p>{t('hear.alone')}</p>
      <div className="volume">
        <label htmlFor={id}>{t('hear.volume')}</label>
        {percent > 50 ? <Volume2 aria-hidden="true" /> : <Volume1 aria-hidden="true" />}
        <input id={id} type="range" min={0} max={100} step={step} value={percent} aria-valuetext={t('hear.percent', { n: percent })} onChange={(event) => view.setVolume(identity, Number(event.target.value) / 100)} />
        <output htmlFor={id} className="num">{t('hear.percent', { n: percent })}</output>
      </div>
      <Switch on={off} onChange={() => view.toggleSilenced(identity)} icon={<VolumeX aria-hidden="true" />} label={t('hear.mute')} says={t(off ? 'hear.silenced' : 'hear.heard')} />
    </Dialog>
  )
}
