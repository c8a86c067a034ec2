// How loud one person is for whoever looks on: nobody else hears it so, and nobody is told.
import { Volume1, Volume2, VolumeX } from 'lucide-react'
import { useId, useState } from 'react'
import type { Person, View } from '@/call/live'
import { useT, Words } from '@/i18n'
import { Switch, useStore } from '@/ui'
import { Dialog } from '@/ui/overlays'

/** Whether the page may say how loud something plays: a phone of Apple's keeps that to its own keys. */
function loudnessIsOurs(): boolean {
  const probe = document.createElement('audio')
  probe.volume = 0.5
  return probe.volume === 0.5
}

/** In steps of so many hundredths. */
const step = 5

export function VolumeDialog({ person, view, onClose }: { person: Person | null; view: View; onClose: () => void }) {
  const t = useT()
  const id = useId()
  const { volumes, silenced } = useStore(view.state)
  const [ours] = useState(loudnessIsOurs)
  const identity = person?.identity ?? ''
  const percent = Math.round((volumes[identity] ?? 1) * 100)
  const off = silenced.includes(identity)
  return (
    <Dialog open={person !== null} onClose={onClose} closeLabel={t('common.close')} title={<Words id="hear.volume.of" values={{ name: <bdi>{person?.name ?? ''}</bdi> }} />}>
      <p>{t('hear.alone')}</p>
      {ours ? (
        <div className="volume">
          <label htmlFor={id}>{t('hear.volume')}</label>
          {percent > 50 ? <Volume2 aria-hidden="true" /> : <Volume1 aria-hidden="true" />}
          <input id={id} type="range" min={0} max={100} step={step} value={percent} aria-valuetext={t('hear.percent', { n: percent })} onChange={(event) => view.setVolume(identity, Number(event.target.value) / 100)} />
          <output htmlFor={id} className="num">{t('hear.percent', { n: percent })}</output>
        </div>
      ) : <p className="sm muted">{t('hear.volume.keys')}</p>}
      <Switch on={off} onChange={() => view.toggleSilenced(identity)} icon={<VolumeX aria-hidden="true" />} label={t('hear.mute')} says={t(off ? 'hear.silenced' : 'hear.heard')} />
    </Dialog>
  )
}
