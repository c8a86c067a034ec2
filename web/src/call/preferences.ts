// How a person wants calls to be: kept in this browser, applied at once. What is wanted on at the door is in intents.ts, which
// the entry page needs; this travels with what comes after it.
import { intents } from './intents'
import { entriesOf, KeptStore } from './kept'

/** Picture and sound; small pictures both ways; or sound alone. */
export type Data = 'full' | 'low' | 'sound'
export const dataModes = ['full', 'low', 'sound'] as const satisfies readonly Data[]

/** Single-key commands by their key, in the order in which they are listed. */
export const commands = { m: 'mic', v: 'cam', s: 'share', c: 'chat', p: 'people', h: 'hand', l: 'lobby', a: 'admit', r: 'refuse', f: 'full', i: 'mini', e: 'pin', ' ': 'talk', '?': 'help' } as const
export type CommandKey = keyof typeof commands
export const commandKeys = Object.keys(commands) as CommandKey[]

/** What becomes of what is behind the person, in the camera's picture. */
export type Blur = 'off' | 'light' | 'strong'
export type Strength = Exclude<Blur, 'off'>
export const blurs = ['off', 'light', 'strong'] as const satisfies readonly Blur[]

/** Who takes the noise out of the microphone's sound: nobody, the browser, or a model on this device after the browser. */
export type Denoise = 'off' | 'browser' | 'strong'
export const denoises = ['off', 'browser', 'strong'] as const satisfies readonly Denoise[]

export const soundKinds = ['knock', 'message', 'recording', 'leave'] as const
export type SoundKind = (typeof soundKinds)[number]

/** What screen readers are told by themselves: all that happens, what concerns oneself and the meeting as a whole, or no more than what must be answered. */
export type News = 'all' | 'some' | 'few'
export const newsLevels = ['all', 'some', 'few'] as const satisfies readonly News[]

export interface Preferences {
  data: Data
  /** With sound alone, shared screens are received all the same. */
  screens: boolean
  /** hold: the microphone is off unless held. */
  talk: 'toggle' | 'hold'
  blur: Blur
  denoise: Denoise
  news: News
  keysOff: readonly CommandKey[]
  quiet: readonly SoundKind[]
}

export const defaultPreferences: Preferences = { data: 'full', screens: true, talk: 'toggle', blur: 'off', denoise: 'browser', news: 'all', keysOff: [], quiet: [] }
const storageKey = 'aparte.preferences'

/** Reads kept preferences; what is not understood is the default. */
export function readPreferences(kept: string | null): Preferences {
  const found = entriesOf(kept)
  const one = <T extends string>(key: string, of: readonly T[], otherwise: T): T => of.find((known) => known === found[key]) ?? otherwise
  const flag = (key: 'screens'): boolean => (typeof found[key] === 'boolean' ? found[key] : defaultPreferences[key])
  const some = <T extends string>(key: string, of: readonly T[]): T[] => {
    const list: unknown = found[key]
    return Array.isArray(list) ? of.filter((known) => list.includes(known)) : []
  }
  return {
    data: one('data', dataModes, 'full'), screens: flag('screens'), talk: one('talk', ['toggle', 'hold'], 'toggle'),
    // It was once a switch.
    blur: one('blur', blurs, 'off'), denoise: found['denoise'] === false ? 'off' : one('denoise', denoises, 'browser'),
    news: one('news', newsLevels, 'all'), keysOff: some('keysOff', commandKeys), quiet: some('quiet', soundKinds),
  }
}

/** This browser's preferences. */
export const preferences = new KeptStore(storageKey, readPreferences)

/** Whether a sound is to be heard: sounds are on, and this kind is. */
export function sounds(kind: SoundKind): boolean {
  return intents.get().sounds && !preferences.get().quiet.includes(kind)
}
