// How a post's time zone and languages are said in the language of the page.
import type { Lang } from '@/i18n'
import { directionOf, localeOf } from '@/i18n/languages'

/** Arabic has a comma of its own. */
const comma = (lang: Lang): string => (directionOf(lang) === 'rtl' ? '،' : ',')

/** Such as "Africa/Dakar, 14:05". */
export function timeThere(zone: string, lang: Lang, now = new Date()): string {
  const plain = zone.replaceAll('_', ' ')
  // Latin letters would take the hour after them along, the other way.
  const name = directionOf(lang) === 'rtl' ? `\u2066${plain}\u2069` : plain
  try {
    return `${name}${comma(lang)} ${new Intl.DateTimeFormat(localeOf(lang), { timeZone: zone, hour: '2-digit', minute: '2-digit' }).format(now)}`
  } catch {
    return name // a zone that this browser does not know
  }
}

/** Such as "français, wolof". */
export function languageNames(tags: readonly string[], lang: Lang): string {
  const names = new Intl.DisplayNames([lang], { type: 'language' })
  return tags.map((tag) => {
    try {
      return names.of(tag) ?? tag
    } catch {
      return tag // not a language tag, while it is typed
    }
  }).join(`${comma(lang)} `)
}

/** What was typed into the field of languages. */
export function languageTags(typed: string): string[] {
  return typed.split(/[\s,;]+/).filter(Boolean)
}

/** The zones that this browser knows, and the one that is chosen. */
export function timeZones(chosen: string): string[] {
  return [...new Set(['UTC', ...Intl.supportedValuesOf('timeZone'), chosen])].filter(Boolean).sort((a, b) => a.localeCompare(b))
}

/** Where this browser is. */
export function zoneHere(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'
}
