import type { AuditEvent } from '@/api'
import { csv } from '@/features/meeting'
import type { Lang, Translate } from '@/i18n'
import { inWords, type Names } from './sentence'

const pairs = (of: Readonly<Record<string, string>> | undefined) => Object.entries(of ?? {}).map(([key, value]) => `${key}=${value}`).join('; ')

/** What is filtered as a table. What is in it was typed by others: it calculates nothing. */
export function auditFile(events: readonly AuditEvent[], names: Names, t: Translate, lang: Lang): string {
  const head = ['seq', 'time', 'act', 'sentence', 'actor', 'meeting', 'subjects', 'detail', 'texts', 'hash'].map((column) => t(`audit.file.${column}`))
  return csv([head, ...events.map((event) => [
    String(event.seq), event.time, event.act, inWords(event, names, t), event.actor.id ?? event.actor.kind,
    event.meeting ? (names[event.meeting] ?? event.meeting) : '', pairs(event.subjects), pairs(event.detail), pairs(event.texts), event.hash,
  ])], lang)
}
