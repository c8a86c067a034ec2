import { blurs, preferences, type Blur } from '@/call/preferences'
import { useT } from '@/i18n'
import { SelectField, useStore } from '@/ui'

/** What becomes of what is behind the person, where this browser can do something about it. */
export function BlurField() {
  const t = useT()
  const { blur } = useStore(preferences)
  return (
    <SelectField label={t('blur.title')} hint={t('blur.more')} value={blur} onChange={(event) => preferences.change({ blur: event.target.value as Blur })}>
      {blurs.map((one) => <option key={one} value={one}>{t(`blur.${one}`)}</option>)}
    </SelectField>
  )
}
