// The one list of languages. A line here and a catalogue of the same name in locales/ make a language:
// the choice on every page, the entry pages made at build time, links and tests follow (docs/languages.md).
export const languages = {
  fr: 'Français',
  en: 'English',
  ar: 'العربية',
} as const
export type Lang = keyof typeof languages

const rightToLeft = new Set(['ar', 'he', 'fa', 'ur'])

export function directionOf(lang: Lang): 'ltr' | 'rtl' {
  return rightToLeft.has(lang) ? 'rtl' : 'ltr'
}

/** Whose habits a language's dates and numbers follow, where its name alone would be taken for another country's. */
const regions: Partial<Record<Lang, string>> = { en: 'en-GB' }

/**
 * The locale for times and numbers. Western digits in every language: codes, links, telephone numbers and the browser's own
 * fields for dates have no others, one page would show two sorts, and a code must read aloud as it is typed.
 * The Gregorian calendar: an appointment with a ministry is on its day. Hours from 0 to 23: the reader's time stands beside the
 * post's, and both are read out over the telephone.
 */
export function localeOf(lang: Lang): string {
  return `${regions[lang] ?? lang}-u-ca-gregory-hc-h23-nu-latn`
}
