import type { ReactNode } from 'react'
import type { ProfileRules } from '@/api'
import { useT } from '@/i18n'
import { SelectField } from '@/ui'
import { livesWithin, named, ownHours } from './lives'

const usual = 168

/** How long a new link lives, as far as the security profile lets it. */
export function LifeField({ rules, error }: { rules: ProfileRules | undefined; error?: ReactNode }) {
  const t = useT()
  const own = rules?.link_hours === 0
  const within = livesWithin(rules)
  return (
    <SelectField key={rules?.link_hours} label={t('links.life')} name="life" defaultValue={own ? ownHours : Math.min(usual, Math.max(...within))} error={error}>
      {own
        ? <option value={ownHours}>{t('links.life.meeting')}</option>
        : within.map((life) => <option key={life} value={life}>{named(life) ? t(`links.life.${life}`) : t('profile.hours', { n: life })}</option>)}
    </SelectField>
  )
}
