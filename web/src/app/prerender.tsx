// The entry page as it stands before the link is redeemed, in each language: made at build time by scripts/prerender.mjs.
import { renderToStaticMarkup } from 'react-dom/server'
import { EntryShell } from '@/features/guest'
import { activate, languages, type Lang } from '@/i18n'
import { directionOf } from '@/i18n/languages'

interface Entry {
  lang: Lang
  dir: 'ltr' | 'rtl'
  html: string
}

export async function entries(): Promise<Entry[]> {
  const made: Entry[] = []
  for (const lang of Object.keys(languages) as Lang[]) {
    await activate(lang)
    made.push({ lang, dir: directionOf(lang), html: renderToStaticMarkup(<EntryShell />) })
  }
  return made
}
