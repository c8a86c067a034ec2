// Files that a host takes away. Made in the browser, which alone has the secrets; a PIN and an address are never in one file.
import { keptPIN, keptSecret, linkURL, shownPIN, type Link, type Meeting } from '@/api'
import type { Lang, Translate } from '@/i18n'
import { moment, zone } from '@/i18n/dates'
import { shortMoment } from '@/i18n/stamps'

/** What a spreadsheet would take for a formula becomes text (OWASP, CSV injection); then RFC 4180. */
export function cell(text: string): string {
  const inert = /^\s*[=+\-@\t\r＝＋－＠]/.test(text) ? `'${text}` : text
  return /[",;\r\n\t]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert
}

/** A CSV file that spreadsheets open with the right accents and columns. */
export function csv(rows: readonly (readonly string[])[], lang: Lang): string {
  const comma = lang === 'en' ? ',' : ';'
  return `\ufeff${rows.map((row) => row.map(cell).join(comma)).join('\r\n')}\r\n`
}

const who = (link: Link) => link.guest_name ?? ''

/** Links that still open the meeting. */
export function alive(links: readonly Link[], now: number): Link[] {
  return links.filter((link) => !link.revoked_at && new Date(link.expires_at).getTime() > now)
}

/** The guests and the state of their links, without any secret. */
export function guestsFile(links: readonly Link[], t: Translate, lang: Lang): string {
  const date = (at: string | undefined) => (at ? shortMoment(new Date(at), lang) : '')
  const head = ['name', 'organisation', 'label', 'language', 'kind', 'from', 'until', 'uses', 'pin', 'revoked'].map((column) => t(`links.file.${column}`))
  return csv([head, ...links.map((link) => [
    who(link), link.organisation ?? '', link.label, link.language ?? '', t(`links.kind.${link.kind}`), date(link.valid_from), date(link.expires_at), String(link.uses),
    link.pin ? t('links.file.yes') : '', date(link.revoked_at),
  ])], lang)
}

/** Ready for a mail merge: a text for each guest, in the guest's language, with the address. Never the PIN. */
export async function invitationsFile(
  meeting: Meeting, links: readonly Link[], t: Translate, lang: Lang, wordsIn: (tag: string) => Promise<{ lang: Lang; t: Translate }>, now: number,
): Promise<string> {
  const rows: string[][] = [['name', 'organisation', 'label', 'language', 'subject', 'text'].map((column) => t(`links.file.${column}`))]
  for (const link of alive(links, now)) {
    const secret = keptSecret(link.id)
    if (secret === null) continue
    const reader = await wordsIn(link.language ?? lang)
    rows.push([who(link), link.organisation ?? '', link.label, link.language ?? '', reader.t('mail.subject', { title: meeting.title }), invitation(meeting, link, secret, reader)])
  }
  return csv(rows, lang)
}

/** What a guest reads. */
export function invitation(meeting: Meeting, link: Link, secret: string, { t, lang }: { t: Translate; lang: Lang }): string {
  const at = (date: string) => `${moment(new Date(date), lang)} (${zone(new Date(date), lang)})`
  const name = link.guest_name ?? ''
  return [
    name ? t('mail.hello', { name }) : t('mail.hello.anon'),
    t('mail.body', { host: meeting.organiser.name, title: meeting.title }),
    ...(meeting.starts_at ? [t('mail.when', { date: at(meeting.starts_at) })] : []),
    linkURL(location.origin, link.id, secret),
    link.valid_from ? t('mail.window', { from: at(link.valid_from), date: at(link.expires_at) }) : t('mail.until', { date: at(link.expires_at) }),
    ...(link.kind === 'personal' ? [t('mail.personal')] : []),
    ...(link.pin ? [t('mail.pin')] : []),
    t('mail.contact', { host: meeting.organiser.name }),
  ].join('\n\n')
}

/** The PINs, for another channel than the addresses. */
export function codesFile(links: readonly Link[], t: Translate, lang: Lang, now: number): string {
  const rows = alive(links, now).flatMap((link) => {
    const pin = link.pin ? keptPIN(link.id) : null
    return pin === null ? [] : [[who(link), link.organisation ?? '', link.label, shownPIN(pin)]]
  })
  return csv([['name', 'organisation', 'label', 'code'].map((column) => t(`links.file.${column}`)), ...rows], lang)
}

/** Hands a file to the reader. */
export function download(name: string, text: string, type = 'text/csv'): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }))
  const anchor = document.createElement('a')
  anchor.href = url
  anchor.download = name
  anchor.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
