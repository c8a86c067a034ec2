// The kept messages as files that a host takes away. Whatever was typed stays what it is and does nothing: it begins no
// line, so that it can neither pass for another message nor for a formula, and turns no direction.
import type { KeptMessage } from '@/api'
import type { Lang, Translate } from '@/i18n'
import { exactMoment } from '@/i18n/stamps'

/** Of a post: its name and time zone (IANA). */
export interface Place { name: string; zone: string }

// Marks that turn the direction of what follows, and signs that nothing shows (Unicode Cf and line separators), but for
// the joiners that scripts need.
const turning = /(?![\u200c\u200d])[\p{Cf}\u2028\u2029]/gu
const named = (sign: string) => `[U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`

/** Text that does nothing where it is shown. */
export function inert(text: string): string {
  return text.replace(turning, named)
}

/** A text for people: a block for each message, with the reader's time and the post's beside. */
export function keptText(title: string, messages: readonly KeptMessage[], days: number, place: Place | undefined, t: Translate, lang: Lang): string {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone
  const head = [t('kept.file.title', { title: inert(title).replaceAll('\n', ' ') }), t('kept.file.says', { n: messages.length, days })]
  const blocks = messages.map((message) => {
    const at = new Date(message.at)
    const there = place && place.zone !== here ? ` / ${exactMoment(at, lang, place.zone)}` : ''
    const by = `[${exactMoment(at, lang)}${there}] ${inert(message.from_name)} (${t(`kept.role.${message.role}`)})`
    return [by, ...inert(message.text).split(/\r\n|\r|\n/).map((line) => `  | ${line}`)].join('\r\n')
  })
  return `\ufeff${[...head, '', ...blocks].join('\r\n')}\r\n`
}

/** The same for programs. Signs beyond ASCII, and those that mean something in HTML, are written by number. */
export function keptJSON(meeting: { id: string; title: string }, messages: readonly KeptMessage[]): string {
  const text = JSON.stringify({ meeting, messages: messages.map(({ seq, at, from_name, role, text }) => ({ seq, at, from_name, role, text })) }, null, 2)
  return `${text.replace(/[<>&\u007f-\uffff]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`
}

/** A name that every system takes for a file: no path, no device, no dot but the last. */
export function keptFileName(title: string, at: Date, ending: 'txt' | 'json' | 'csv' | 'ics', t: Translate, what = t('kept.file.name')): string {
  const word = title.normalize('NFKD').replace(/\p{M}/gu, '').replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '')
  const short = (/^.{0,60}/u.exec(word)?.[0] ?? '').replace(/-+$/, '')
  return [what, ...(short ? [short] : []), at.toISOString().slice(0, 10)].join('-') + `.${ending}`
}
