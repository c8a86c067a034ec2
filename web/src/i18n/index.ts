// Words. French is the source language, every other catalogue is loaded on demand. Texts are asked for by id
// (texts belong to people who write, not to the code), and formatted by lingui from ICU messages compiled at build time.
import { setupI18n, type Messages } from '@lingui/core'
import { createElement, Fragment, useSyncExternalStore, type ReactNode } from 'react'
import { directionOf, languages, localeOf, type Lang } from './languages'

export { languages, type Lang }

const i18n = setupI18n({})
const storageKey = 'aparte.lang'

function isLang(value: string): value is Lang {
  return Object.hasOwn(languages, value)
}

/** The language to open with: ?lang=, then the choice kept by this browser, then the browser's own list, then French. */
export function preferredLang(query: string, kept: string | null, browser: readonly string[]): Lang {
  const wanted = [new URLSearchParams(query).get('lang'), kept, ...browser.map((tag) => tag.split('-')[0] ?? '')]
  for (const lang of wanted) if (lang && isLang(lang)) return lang
  return 'fr'
}

export type Catalogues = Record<string, () => Promise<Messages>>
const door: Catalogues = import.meta.glob<Messages>('./locales/*.po', { query: '?door', import: 'default' })
const call: Catalogues = import.meta.glob<Messages>('./locales/*.po', { query: '?call', import: 'default' })
const agents: Catalogues = import.meta.glob<Messages>('./locales/*.po', { query: '?agents', import: 'default' })
const all = [door, call, agents]
/** The parts that this page has asked for so far; scripts/po.ts says what is in each. */
export let wanted = [door]

async function load(parts: readonly Catalogues[], lang: Lang): Promise<Messages> {
  const loaded = await Promise.all(parts.map((part) => part[`./locales/${lang}.po`]?.() ?? Promise.reject(new Error(`no catalogue for ${lang}`))))
  return Object.assign({}, ...loaded) as Messages
}

/** Loads the words and makes this the page's language, direction included. */
export async function activate(lang: Lang): Promise<void> {
  i18n.load(lang, await load(wanted, lang))
  i18n.activate(lang, localeOf(lang))
  if (typeof document !== 'undefined') {
    document.documentElement.lang = lang
    document.documentElement.dir = directionOf(lang)
  }
}

/** The language that somebody else proposes (BCP 47), unless the reader or the address has chosen one, or there is none such. */
export async function offerLang(tag: string): Promise<void> {
  const lang = tag.split('-')[0]?.toLowerCase() ?? ''
  if (!isLang(lang) || lang === i18n.locale || keptLang() !== null || new URLSearchParams(location.search).has('lang')) return
  await activate(lang)
}

/** Before any page but a guest's first ones: loads the words of the waiting room and of the call. */
export function loadCallWords(): Promise<void> {
  return loadMore([door, call])
}

/** Before an agent's pages: loads all words but those of administrators' own. */
export function loadAllWords(): Promise<void> {
  return loadMore(all)
}

/** Loads these parts, and from then on those of every language that is chosen. */
export async function loadMore(parts: Catalogues[]): Promise<void> {
  if (parts.length > wanted.length) wanted = parts
  const lang = i18n.locale as Lang
  i18n.load(lang, await load(parts.slice(1), lang))
}

/** As activate, and remembers the choice in this browser. */
export async function chooseLang(lang: Lang): Promise<void> {
  await activate(lang)
  try {
    localStorage.setItem(storageKey, lang)
  } catch {
    // A browser that keeps nothing still shows the language for this visit.
  }
}

export function keptLang(): string | null {
  try {
    return localStorage.getItem(storageKey)
  } catch {
    return null
  }
}

type Values = Record<string, string | number>
/** Gives a text by its id; values fill its ICU places. */
export type Translate = (id: string, values?: Values) => string

export const t: Translate = (id, values) => i18n._(id, values)

function onChange(listener: () => void): () => void {
  return i18n.on('change', listener)
}

/** The current language; the component renders again when it changes. */
export function useLang(): Lang {
  return useSyncExternalStore(onChange, () => i18n.locale as Lang, () => i18n.locale as Lang)
}

/** The translator; the component renders again when the language changes. */
export function useT(): Translate {
  useLang()
  return t
}

/** A text some of whose values are elements, such as a name in <bdi>. */
export function Words({ id, values }: { id: string; values: Record<string, ReactNode> }): ReactNode {
  useLang()
  const plain: Values = {}
  for (const [key, value] of Object.entries(values)) plain[key] = typeof value === 'string' || typeof value === 'number' ? value : `\u0001${key}\u0001`
  return t(id, plain).split('\u0001').map((part, i) => createElement(Fragment, { key: i }, i % 2 ? values[part] : part))
}

type Texts = Readonly<Partial<Record<string, string>>>

/** Of a text that people wrote in some languages, the one for the reader: the page's, else what the browser prefers, else French. */
export function said(texts: Texts | undefined, lang: Lang): { lang: string; text: string } {
  const wanted = [lang, ...(typeof navigator === 'undefined' ? [] : navigator.languages.map((tag) => tag.split('-')[0] ?? '')), 'fr']
  const found = wanted.find((one) => texts && Object.hasOwn(texts, one)) ?? lang
  return { lang: found, text: texts?.[found] ?? '' }
}

/** A text that people wrote in some languages, marked with the one it is in. */
export function Said({ texts }: { texts: Texts | undefined }): ReactNode {
  const lang = useLang()
  const { lang: found, text } = said(texts, lang)
  return createElement('bdi', found === lang ? null : { lang: found }, text)
}

/** A translator into another language than the page's, such as for a mail to somebody who reads it; the page's own where there is none. */
export async function wordsIn(tag: string): Promise<{ lang: Lang; t: Translate }> {
  const wanted = tag.split('-')[0]?.toLowerCase() ?? ''
  const lang = isLang(wanted) ? wanted : (i18n.locale as Lang)
  const other = setupI18n({ locale: lang, locales: localeOf(lang), messages: { [lang]: await load(all, lang) } })
  return { lang, t: (id, values) => other._(id, values) }
}
