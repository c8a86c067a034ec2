// One page for each subject of the settings.
import { Bell, BellOff, Keyboard, Mic, MonitorUp, Volume2 } from 'lucide-react'
import { useState } from 'react'
import { intents } from '@/call'
import { canBlur, canDenoise } from '@/call/effects/able'
import { commandKeys, commands, dataModes, denoises, newsLevels, preferences, soundKinds, type Data, type Denoise, type News } from '@/call/preferences'
import type { Figures } from '@/call/quality'
import { useDevices, type DeviceList } from '@/features/controls'
import { BlurField } from '@/features/devices'
import { chooseLang, languages, useLang, useT, type Lang } from '@/i18n'
import { Button, chooseTheme, keptTheme, play, SelectField, Switch, useStore, type Theme } from '@/ui'
import { Connection, type Told } from './Connection'

export interface PageProps {
  /** In a call: takes another device at once. */
  use?: (media: DeviceList['media'], id: string) => void
  /** In a call: how the connection is. */
  connection?: { look: () => Promise<Figures>; quality: Told }
}

export function SoundPage({ use }: PageProps) {
  const t = useT()
  const { denoise, talk } = useStore(preferences)
  const { speakerID } = useStore(intents)
  const hold = talk === 'hold'
  return (
    <>
      <Devices kinds={['mic', 'speaker']} use={use} />
      <div className="row"><Button icon={<Volume2 aria-hidden="true" />} onClick={() => play('test', speakerID)}>{t('devices.speaker')}</Button></div>
      <SelectField label={t('settings.denoise')} hint={t(`settings.denoise.${denoise}.more`)} value={denoise} onChange={(event) => preferences.change({ denoise: event.target.value as Denoise })}>
        {denoises.filter((one) => one !== 'strong' || canDenoise()).map((one) => <option key={one} value={one}>{t(`settings.denoise.${one}`)}</option>)}
      </SelectField>
      <Switch on={hold} onChange={(on) => preferences.change({ talk: on ? 'hold' : 'toggle' })} icon={<Mic aria-hidden="true" />} label={t('settings.hold')} says={t(hold ? 'settings.hold.on' : 'settings.hold.off')} />
    </>
  )
}

export function PicturePage({ use }: PageProps) {
  const t = useT()
  const { data } = useStore(preferences)
  return (
    <>
      <Devices kinds={['cam']} use={use} />
      {canBlur() ? <BlurField /> : <p className="note">{t('blur.none')}</p>}
      {data === 'full' ? null : <p className="note">{t(`settings.data.${data}.more`)}</p>}
    </>
  )
}

export function NetworkPage({ connection }: PageProps) {
  const t = useT()
  const { data, screens } = useStore(preferences)
  return (
    <>
      <SelectField label={t('settings.data')} hint={t(`settings.data.${data}.more`)} value={data} onChange={(event) => preferences.change({ data: event.target.value as Data })}>
        {dataModes.map((mode) => <option key={mode} value={mode}>{t(`settings.data.${mode}`)}</option>)}
      </SelectField>
      {data === 'sound' ? <Switch on={screens} onChange={(on) => preferences.change({ screens: on })} icon={<MonitorUp aria-hidden="true" />} label={t('settings.screens')} says={t(screens ? 'settings.screens.on' : 'settings.screens.off')} /> : null}
      {connection ? <Connection {...connection} /> : null}
    </>
  )
}

export function NoticesPage() {
  const t = useT()
  const { sounds } = useStore(intents)
  const { quiet } = useStore(preferences)
  return (
    <>
      <Switch on={sounds} onChange={(on) => intents.change({ sounds: on })} icon={sounds ? <Bell aria-hidden="true" /> : <BellOff aria-hidden="true" />} label={t('settings.sounds')} says={t(sounds ? 'settings.sounds.on' : 'settings.sounds.off')} />
      {sounds ? (
        <fieldset className="choices">
          <legend>{t('settings.sounds.which')}</legend>
          {soundKinds.map((kind) => (
            <label key={kind} className="check-line">
              <input type="checkbox" checked={!quiet.includes(kind)} onChange={(event) => preferences.change({ quiet: event.target.checked ? quiet.filter((one) => one !== kind) : [...quiet, kind] })} />
              <span>{t(`settings.sound.${kind}`)}</span>
            </label>
          ))}
        </fieldset>
      ) : null}
    </>
  )
}

export function KeysPage() {
  const t = useT()
  const { keys } = useStore(intents)
  const { keysOff } = useStore(preferences)
  return (
    <>
      <Switch on={keys} onChange={(on) => intents.change({ keys: on })} icon={<Keyboard aria-hidden="true" />} label={t('keys.switch')} says={t(keys ? 'keys.on' : 'keys.off')} />
      {keys ? (
        <fieldset className="choices">
          <legend>{t('settings.keys.which')}</legend>
          {commandKeys.map((key) => (
            <label key={key} className="check-line">
              <input type="checkbox" checked={!keysOff.includes(key)} onChange={(event) => preferences.change({ keysOff: event.target.checked ? keysOff.filter((one) => one !== key) : [...keysOff, key] })} />
              <kbd>{key === ' ' ? t('keys.space') : key.toUpperCase()}</kbd>
              <span>{t(`keys.${commands[key]}`)}</span>
            </label>
          ))}
        </fieldset>
      ) : null}
    </>
  )
}

export function AccessPage() {
  const t = useT()
  const { news } = useStore(preferences)
  const [theme, setTheme] = useState<Theme>(keptTheme)
  const choose = (theme: Theme) => {
    chooseTheme(theme)
    setTheme(theme)
  }
  return (
    <>
      <SelectField label={t('settings.news')} hint={t('settings.news.more')} value={news} onChange={(event) => preferences.change({ news: event.target.value as News })}>
        {newsLevels.map((level) => <option key={level} value={level}>{t(`settings.news.${level}`)}</option>)}
      </SelectField>
      <SelectField label={t('frame.theme')} hint={t('settings.theme.more')} value={theme} onChange={(event) => choose(event.target.value as Theme)}>
        <option value="auto">{t('frame.theme.auto')}</option>
        <option value="light">{t('frame.theme.light')}</option>
        <option value="dark">{t('frame.theme.dark')}</option>
      </SelectField>
    </>
  )
}

export function LanguagePage() {
  const t = useT()
  const lang = useLang()
  return (
    <SelectField label={t('frame.language')} value={lang} onChange={(event) => void chooseLang(event.target.value as Lang)}>
      {Object.entries(languages).map(([code, name]) => <option key={code} value={code} lang={code}>{name}</option>)}
    </SelectField>
  )
}

const keptAs = { mic: 'micID', cam: 'camID', speaker: 'speakerID' } as const

/** The choice of devices. Their names are known once one of them was open. */
function Devices({ kinds, use }: { kinds: readonly DeviceList['kind'][]; use: PageProps['use'] }) {
  const t = useT()
  const lists = useDevices(true, 1).filter(({ kind }) => kinds.includes(kind))
  if (lists.length === 0) return <p className="sm muted">{t('devices.noname')}</p>
  return lists.map(({ kind, media, devices }) => (
    <SelectField
      key={kind} label={t(`devices.${kind}.used`)} value={devices.find((device) => device.chosen)?.id ?? ''}
      onChange={(event) => {
        intents.change({ [keptAs[kind]]: event.target.value })
        use?.(media, event.target.value)
      }}
    >
      {devices.some((device) => device.chosen) ? null : <option value="">{t('settings.device.gone')}</option>}
      {devices.map((device, i) => <option key={device.id} value={device.id}>{device.label || t('devices.nameless', { n: i + 1 })}</option>)}
    </SelectField>
  ))
}
