import { Mic, MicOff, Video, VideoOff } from 'lucide-react'
import { intents } from '@/call'
import { useT } from '@/i18n'
import { Switch, useStore } from '@/ui'

/** Microphone and camera as intentions: nothing is opened here. Disabled where no script would notice a press yet. */
export function IntentSwitches({ disabled = false }: { disabled?: boolean }) {
  const t = useT()
  const { mic, cam } = useStore(intents)
  return (
    <div className="switches" role="group" aria-label={t('devices.atentry')}>
      <Switch on={mic} disabled={disabled} onChange={(on) => intents.change({ mic: on })} icon={mic ? <Mic aria-hidden="true" /> : <MicOff aria-hidden="true" />} label={t('ctl.mic.on')} says={t(mic ? 'devices.mic.willon' : 'devices.mic.willoff')} />
      <Switch on={cam} disabled={disabled} onChange={(on) => intents.change({ cam: on })} icon={cam ? <Video aria-hidden="true" /> : <VideoOff aria-hidden="true" />} label={t('ctl.cam.on')} says={t(cam ? 'devices.cam.willon' : 'devices.cam.willoff')} />
    </div>
  )
}
