import { useEffect, useState } from 'react'
import { intents } from '@/call'
import { useStore } from '@/ui'

export interface DeviceList {
  kind: 'mic' | 'cam' | 'speaker'
  media: 'audioinput' | 'videoinput' | 'audiooutput'
  devices: { id: string; label: string; chosen: boolean }[]
}

/** The devices there are, by kind, where there are at least so many. */
export function useDevices(wanted: boolean, least: number): DeviceList[] {
  const { micID, camID, speakerID } = useStore(intents)
  const [found, setFound] = useState<Pick<MediaDeviceInfo, 'deviceId' | 'kind' | 'label'>[]>([])
  useEffect(() => {
    if (!wanted) return
    let current = true
    navigator.mediaDevices.enumerateDevices().then((devices) => current && setFound(devices), () => undefined)
    return () => {
      current = false
    }
  }, [wanted])
  const list = (kind: DeviceList['kind'], media: DeviceList['media'], chosen: string | undefined): DeviceList => {
    const devices = found.filter((device) => device.kind === media && device.deviceId !== '')
    return { kind, media, devices: devices.map((device, i) => ({ id: device.deviceId, label: device.label, chosen: chosen ? device.deviceId === chosen : i === 0 })) }
  }
  return [list('mic', 'audioinput', micID), list('cam', 'videoinput', camID), list('speaker', 'audiooutput', speakerID)].filter((one) => one.devices.length >= least)
}
