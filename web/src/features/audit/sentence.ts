// An act in words: who did what to whom.
import type { AuditEvent } from '@/api'
import type { Translate } from '@/i18n'

export type Names = Readonly<Partial<Record<string, string>>>

/** The id of the sentence of an act. */
export const sentenceOf = (act: string) => `audit.act.${act.replace('.', '_')}`

/** Who acted, by name as far as it is known. */
export function whoOf({ actor, act, texts }: AuditEvent, names: Names, t: Translate): string {
  if (act === 'knock.waiting' && texts?.['name']) return texts['name']
  return (actor.id && names[actor.id]) || t(`audit.who.${actor.kind}`)
}

const subjects = ['account', 'knock', 'participant', 'lobby_session', 'link'] as const

/** On whom, by name as far as it is known. */
export function whomOf(event: AuditEvent, names: Names, t: Translate): string {
  const typed = event.texts?.['name'] ?? event.texts?.['guest_name']
  if (typed && (event.act.startsWith('account.') || event.act === 'link.created')) return typed
  for (const subject of subjects) {
    const id = event.subjects?.[subject]
    const name = id && names[id]
    if (name) return name
  }
  if (event.act.startsWith('link.')) return t('audit.whom.link')
  return t('audit.whom')
}

/** The whole sentence as plain text, for files. An act that a newer server has is shown by its name. */
export function inWords(event: AuditEvent, names: Names, t: Translate): string {
  const id = sentenceOf(event.act)
  const text = t(id, { who: whoOf(event, names, t), whom: whomOf(event, names, t) })
  return text === id ? event.act : text
}
