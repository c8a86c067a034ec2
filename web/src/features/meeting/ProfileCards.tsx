import { Ban } from 'lucide-react'
import type { Profile, ProfileRules } from '@/api'
import { Said, useLang, useT } from '@/i18n'
import { listed } from '@/i18n/lists'
import { consequences } from './profileLines'
import './profiles.css'

interface Props {
  profiles: readonly Profile[]
  chosen: string
  onChoose: (id: string) => void
  error?: string | undefined
}

/** The choice of a security profile: each says what it means, and why it cannot be had. */
export function ProfileCards({ profiles, chosen, onChoose, error }: Props) {
  const t = useT()
  return (
    <fieldset className="profile-cards">
      <legend>{t('profile.choose')}</legend>
      {profiles.map((profile) => {
        const lacking = profile.needs.length > 0
        return (
          <label key={profile.id} className={`profile-card ${lacking ? 'lacking' : ''}`}>
            <input type="radio" name="profile" value={profile.id} checked={chosen === profile.id} disabled={lacking} onChange={() => onChoose(profile.id)} />
            <span className="stack-s">
              <b><Said texts={profile.name} /></b>
              <span><Said texts={profile.sentence} /></span>
              {lacking ? <Lacking profile={profile} /> : <Consequences rules={profile.rules} />}
            </span>
          </label>
        )
      })}
      {error ? <p className="error" role="alert">{error}</p> : null}
    </fieldset>
  )
}

export function Consequences({ rules }: { rules: ProfileRules }) {
  const t = useT()
  return <span className="consequences">{consequences(rules, t).map((one) => <span key={one}>{one}</span>)}</span>
}

function Lacking({ profile }: { profile: Profile }) {
  const t = useT()
  const lang = useLang()
  return <span className="why"><Ban aria-hidden="true" />{t('profile.lacking', { needs: listed(profile.needs.map((need) => t(`profile.need.${need.replaceAll('-', '')}`)), lang) })}</span>
}
