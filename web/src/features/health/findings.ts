// What was found on the server, put in order and into words. The rules themselves are the server's (signaling/health).
import type { HealthFinding, HealthValue, ServerHealth } from '@/api'
import type { Lang, Translate } from '@/i18n'
import { shortMoment } from '@/i18n/stamps'
import { localeOf } from '@/i18n/languages'
import { sized } from '@/i18n/sizes'

export type Level = HealthFinding['level']
type AreaName = HealthFinding['area']

/** The ids of what a finding says, and of what to do. */
export const sentenceOf = (code: string) => `health.found.${code.replaceAll('-', '_')}`
export const remedyOf = (code: string) => `health.do.${code.replaceAll('-', '_')}`

/** In order all the same, and good to know. */
const advised = ['turn-plain', 'turn-off', 'recordings-off']

/** Whether it is said what to do. */
export const isAdvised = ({ level, code }: HealthFinding): boolean => level !== 'fine' || advised.includes(code)

// What could not be measured says nothing against an area of which something else could.
const gravity: Readonly<Record<Level, number>> = { fine: 1, unknown: 0, attention: 2, broken: 3 }

export interface Area {
  area: AreaName
  /** The worst of what was measured. */
  level: Level
  findings: readonly HealthFinding[]
}

/** The findings by area, in the server's order; within one, the worst first. */
export function areasOf(findings: readonly HealthFinding[]): Area[] {
  const areas = new Map<AreaName, HealthFinding[]>()
  for (const finding of findings) areas.set(finding.area, [...(areas.get(finding.area) ?? []), finding])
  return [...areas].map(([area, those]) => {
    const sorted = those.toSorted((a, b) => Math.max(gravity[b.level], 1) - Math.max(gravity[a.level], 1))
    return { area, level: those.reduce<Level>((worst, { level }) => (gravity[level] > gravity[worst] ? level : worst), 'unknown'), findings: sorted }
  })
}

/** How all of it stands: how many points need somebody, and how many are not known. */
export function summaryOf(findings: readonly HealthFinding[]): { level: Level; points: number; unmeasured: number } {
  const of = (...levels: Level[]) => findings.filter(({ level }) => levels.includes(level)).length
  return { level: of('broken') ? 'broken' : of('attention') ? 'attention' : 'fine', points: of('broken', 'attention'), unmeasured: of('unknown') }
}

const minute = 60, hour = 3600, day = 86_400

function lasting(seconds: number, lang: Lang): string {
  const [unit, length] = seconds < 2 * minute ? ['second', 1] as const : seconds < 2 * hour ? ['minute', minute] as const : seconds < 2 * day ? ['hour', hour] as const : ['day', day] as const
  return new Intl.NumberFormat(localeOf(lang), { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: seconds < 10 ? 1 : 0 }).format(Math.floor(seconds * 10 / length) / 10)
}

/** A figure as people read it. */
export function figure({ name, unit, number = 0, text = '', at }: HealthValue, t: Translate, lang: Lang): string {
  const format = (options: Intl.NumberFormatOptions, value = number) => new Intl.NumberFormat(localeOf(lang), options).format(value)
  switch (unit) {
    case 'bytes': return sized(number, lang)
    case 'milliseconds': return number < 1000 ? format({ style: 'unit', unit: 'millisecond', maximumFractionDigits: number < 10 ? 1 : 0 }) : format({ style: 'unit', unit: 'second', maximumFractionDigits: 1 }, number / 1000)
    case 'seconds': return lasting(number, lang)
    case 'days': return format({ style: 'unit', unit: 'day', unitDisplay: 'long', maximumFractionDigits: 0 })
    case 'percent': return format({ style: 'percent', maximumFractionDigits: number < 1 ? 2 : number < 10 ? 1 : 0 }, number / 100)
    case 'count': return format({ maximumFractionDigits: 0 })
    case 'moment': return at ? shortMoment(new Date(at), lang) : t('health.notknown')
    case 'text': return text === '' ? t('health.notknown') : name === 'commit' ? text.slice(0, 12) : text
  }
}

// What a stranger who helps has no use for.
const ours = ['folder', 'host', 'place', 'post']

/** The report as somebody reads it who knows the program: codes and figures, in no language. */
export function forSupport({ measured_at, findings }: ServerHealth): string {
  const value = ({ name, unit, number, text, at }: HealthValue) => `${name}=${ours.includes(name) ? '…' : (text ?? at ?? `${Math.round((number ?? 0) * 100) / 100}${unit === 'count' ? '' : ` ${unit}`}`)}`
  return [`Aparté health ${measured_at}`, ...findings.map(({ area, level, code, values }) => [level.toUpperCase(), area, code, ...values.map(value)].join('  '))].join('\n')
}
