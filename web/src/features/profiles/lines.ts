import type { ProfileDraft, ProfileRules } from '@/api'
import { textOf } from '@/ui'

/** The lines that are yes or no. */
export const flags = ['guests', 'shared_links', 'personal_links', 'pin', 'spoken_code', 'watermark', 'keep_chat'] as const

/** The lines that are one of several words. */
export const choices = {
  lobby: ['guests', 'all-but-hosts'],
  guest_share: ['allowed', 'granted', 'off'],
  guest_files: ['allowed', 'granted', 'off'],
  encryption: ['optional', 'on', 'required'],
  recording: ['consent', 'sealed', 'impossible'],
  private_messages: ['all', 'hosts', 'off'],
  last_host: ['wait', 'end', 'promote'],
} as const satisfies Partial<Record<keyof ProfileRules, readonly string[]>>

/** What the form says. */
export function read(form: FormData): Omit<ProfileDraft, 'id'> {
  const text = (name: string) => textOf(form, name).trim()
  const yes = (name: (typeof flags)[number]) => text(name) === 'yes'
  const word = <K extends keyof typeof choices>(name: K) => {
    const words: readonly string[] = choices[name]
    return (words.includes(text(name)) ? text(name) : words[0]) as (typeof choices)[K][number]
  }
  return {
    name: { fr: text('name.fr'), en: text('name.en') },
    sentence: { fr: oneLine(text('sentence.fr')), en: oneLine(text('sentence.en')) },
    rules: {
      guests: yes('guests'), shared_links: yes('shared_links'), personal_links: yes('personal_links'), pin: yes('pin'), spoken_code: yes('spoken_code'),
      watermark: yes('watermark'), keep_chat: yes('keep_chat'), link_hours: Number(text('link_hours')), last_host_delay: Number(text('last_host_delay')),
      lobby: word('lobby'), guest_share: word('guest_share'), guest_files: word('guest_files'), encryption: word('encryption'),
      recording: word('recording'), private_messages: word('private_messages'), last_host: word('last_host'),
    },
  }
}

/** A sentence is one line, however it was pasted. */
const oneLine = (text: string) => text.replace(/\s*[\r\n]+\s*/g, ' ')
