// Times of lists and records, in the reader's zone and language.
import { localeOf, type Lang } from './languages'

/** A day of any year, such as "mardi 24 novembre 2026". */
export function dayYear(at: Date, lang: Lang): string {
  return new Intl.DateTimeFormat(localeOf(lang), { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }).format(at)
}

/** A day without its name, such as "24 novembre". */
export function dayMonth(at: Date, lang: Lang): string {
  return new Intl.DateTimeFormat(localeOf(lang), { day: 'numeric', month: 'long' }).format(at)
}

/** An hour with its seconds, such as "15:00:07". */
export function exactHour(at: Date, lang: Lang): string {
  return new Intl.DateTimeFormat(localeOf(lang), { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(at)
}

/** A short day and hour for lists. */
export function shortMoment(at: Date, lang: Lang): string {
  return new Intl.DateTimeFormat(localeOf(lang), { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' }).format(at)
}

/** A short day and hour that names its zone, for what is read elsewhere or later; by default the reader's zone. */
export function exactMoment(at: Date, lang: Lang, timeZone?: string): string {
  return new Intl.DateTimeFormat(localeOf(lang), { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZoneName: 'short', ...(timeZone ? { timeZone } : {}) }).format(at)
}
