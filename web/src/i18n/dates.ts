// Times as people read them, in the reader's zone and language: those of a meeting. Those of lists and records are in stamps.ts.
import { localeOf, type Lang } from './languages'

/** A day, such as "mardi 24 novembre". */
export function day(at: Date, lang: Lang): string {
  return new Intl.DateTimeFormat(localeOf(lang), { weekday: 'long', day: 'numeric', month: 'long' }).format(at)
}

/** An hour, such as "15:00". */
export function hour(at: Date, lang: Lang): string {
  return new Intl.DateTimeFormat(localeOf(lang), { hour: '2-digit', minute: '2-digit' }).format(at)
}

/** Day and hour in one. */
export function moment(at: Date, lang: Lang): string {
  return new Intl.DateTimeFormat(localeOf(lang), { weekday: 'long', day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' }).format(at)
}

/** Day, hour and zone in another place's time zone (IANA), or null where its clocks show what the reader's do. */
export function momentThere(at: Date, zone: string, lang: Lang): string | null {
  if (!knows(zone)) return null
  const clock = (timeZone?: string) => new Intl.DateTimeFormat('sv', { dateStyle: 'short', timeStyle: 'short', ...(timeZone ? { timeZone } : {}) }).format(at)
  if (clock(zone) === clock()) return null
  return new Intl.DateTimeFormat(localeOf(lang), { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', timeZone: zone, timeZoneName: 'short' }).format(at)
}

/** An older browser may not have a zone that the server has. */
function knows(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('sv', { timeZone })
    return true
  } catch {
    return false
  }
}

/** The reader's zone by name, such as "heure de Lisbonne" or "Lisbon time". */
export function zone(at: Date, lang: Lang): string {
  const parts = new Intl.DateTimeFormat(localeOf(lang), { timeZoneName: 'longGeneric' }).formatToParts(at)
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? ''
}
