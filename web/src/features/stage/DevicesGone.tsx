import { Mic, Unplug, Video, Volume2, X } from 'lucide-react'
import type { Call, Gone } from '@/call/live'
import { useT, Words } from '@/i18n'
import { Button } from '@/ui'

const icons = { mic: Mic, cam: Video, speaker: Volume2 }

/** A microphone, camera or loudspeaker was unplugged while it was used: which, what is used instead, and a way to choose. */
export function DevicesGone({ call, gone, onChoose }: { call: Call; gone: readonly Gone[]; onChoose: (kind: Gone['kind']) => void }) {
  const t = useT()
  if (gone.length === 0) return null
  return (
    <div className="notice" data-testid="unplugged">
      <div className="note warn" role="alert">
        <Unplug aria-hidden="true" />
        <div className="stack-s">
          {gone.map((one) => <p key={one.kind}><Words id={one.instead === null ? `devices.gone.${one.kind}.none` : `devices.gone.${one.kind}`} values={{ gone: <bdi>{one.gone}</bdi>, instead: <bdi>{one.instead ?? ''}</bdi> }} /></p>)}
          <div className="row">
            {gone.map(({ kind }) => {
              const Icon = icons[kind]
              return <Button key={kind} icon={<Icon aria-hidden="true" />} onClick={() => onChoose(kind)}>{t(`devices.gone.${kind}.choose`)}</Button>
            })}
          </div>
        </div>
      </div>
      <Button aria-label={t('common.close')} icon={<X aria-hidden="true" />} onClick={call.dismissUnplugged} />
    </div>
  )
}
