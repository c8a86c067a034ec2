// What a person wants on at the door, and which devices. Kept in this browser for the next meeting; nothing opens a device here.
import { entriesOf, KeptStore } from './kept'

export interface Intents {
  mic: boolean
  cam: boolean
  micID?: string
  camID?: string
  speakerID?: string
  /** Single-key commands (M, V, ...) may be switched off. */
  keys: boolean
  /** Sounds of knocks, arrivals, leaving. */
  sounds: boolean
}

export const defaults: Intents = { mic: true, cam: false, keys: true, sounds: true }
const storageKey = 'aparte.devices'

/** Reads kept intents; what is not understood is the default. */
export function readIntents(kept: string | null): Intents {
  const found = entriesOf(kept)
  const flag = (key: 'mic' | 'cam' | 'keys' | 'sounds') => (typeof found[key] === 'boolean' ? found[key] : defaults[key])
  const id = (key: 'micID' | 'camID' | 'speakerID') => (typeof found[key] === 'string' && found[key] !== '' ? { [key]: found[key] } : {})
  return { mic: flag('mic'), cam: flag('cam'), keys: flag('keys'), sounds: flag('sounds'), ...id('micID'), ...id('camID'), ...id('speakerID') }
}

/** This browser's intents. */
export const intents = new KeptStore(storageKey, readIntents)
