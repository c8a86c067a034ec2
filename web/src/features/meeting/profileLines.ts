import type { ProfileRules } from '@/api'
import type { Translate } from '@/i18n'

/** The lines of a profile by which something is refused, as the server calls them; each has words, profile.line.NAME. */
const lineNames = ['guests', 'shared_links', 'personal_links', 'pin', 'link_hours', 'lobby', 'guest_share', 'guest_files'] as const

/** The words for a line that the server names. */
export function lineSaid(line: string, t: Translate): string {
  return lineNames.some((one) => one === line) ? t(`profile.line.${line}`) : t('profile.line.other')
}

/** A number of hours, in days where it is whole ones. */
export function lifeSaid(hours: number, t: Translate): string {
  if (hours === 0) return t('profile.life.own')
  return hours % 24 === 0 ? t('profile.days', { n: hours / 24 }) : t('profile.hours', { n: hours })
}

/** What a profile means for those who meet, in a few words each. */
export function consequences(rules: ProfileRules, t: Translate): string[] {
  const guests = !rules.guests
    ? [t('profile.says.noguests')]
    : [
        t(rules.shared_links ? (rules.personal_links ? 'profile.says.anylink' : 'profile.says.shared') : 'profile.says.personal'),
        ...(rules.pin ? [t('profile.says.pin')] : []),
        t('profile.says.life', { life: lifeSaid(rules.link_hours, t) }),
        t(`profile.says.share.${rules.guest_share}`),
        t(`profile.says.files.${rules.guest_files}`),
      ]
  return [...guests, ...(rules.lobby === 'guests' ? [] : [t('profile.says.lobby')]), ...(rules.keep_chat ? [t('profile.says.chatkept')] : []), ...(rules.watermark ? [t('profile.says.watermark')] : [])]
}
