import type { Meeting, ProfileRules } from '@/api'

/** How long links live, in hours. */
const lives = [4, 24, 168, 720, 2160] as const

/** What a form says where a link lives for the meeting's own hours. */
export const ownHours = 'meeting'

/** The lives that a security profile allows; its own limit where that is shorter than all. */
export function livesWithin(rules: ProfileRules | undefined): readonly number[] {
  const within = lives.filter((life) => !rules || life <= rules.link_hours)
  return within.length > 0 || !rules ? within : [rules.link_hours]
}

/** The words for a life, by their id; other lives are said in hours. */
export const named = (life: number): boolean => lives.some((one) => one === life)

/** The end of a life that begins now. */
export function endAfter(hours: number, from = Date.now()): string {
  return new Date(from + hours * 3_600_000).toISOString()
}

/** The end that a form's life means. */
export function endOf(life: string, meeting: Meeting, from = Date.now()): string {
  return life === ownHours && meeting.ends_at ? meeting.ends_at : endAfter(Number(life) || 1, from)
}
