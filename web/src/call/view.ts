// How one person looks on and listens: layout, pins, volumes, one's own picture. Nothing of it is ever sent to anybody.
// What one is used to is kept in this browser; what is about people of this call, in this tab.
import { Store, type Readable } from '@/api'
import { layouts, selfViews, type Layout, type SelfView, type Wishes } from './arrangement'
import { objectOf } from './json'
import type { Person } from './people'
import { follow, silence, type Speech } from './speaker'
import type { CallState } from './state'

export interface ViewState extends Wishes {
  /** One's own picture as in a mirror. */
  mirror: boolean
  /** Loudness of people by identity, 0 to 1; who is not named has 1. */
  volumes: Readonly<Record<string, number>>
  /** Identities of those whom one does not want to hear. */
  silenced: readonly string[]
}

/** So many can be large at once before none is. */
export const mostPins = 3
/** Of more people nothing is kept: the oldest is forgotten first. */
const mostKept = 200

/** Where settings are kept: localStorage and sessionStorage, which may both refuse. */
export interface Keep {
  browser: Pick<Storage, 'getItem' | 'setItem'> | null
  tab: Pick<Storage, 'getItem' | 'setItem'> | null
}

const habitsKey = 'aparte.view'
const peopleKey = 'aparte.view.people'

export class View {
  private readonly current: Store<ViewState>
  readonly state: Readable<ViewState>
  private speech: Speech = silence
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly call: Readable<CallState>, private readonly keep: Keep) {
    const habits = readHabits(read(keep.browser, habitsKey))
    this.current = new Store<ViewState>({ ...habits, ...readPeople(read(keep.tab, peopleKey)), share: '', speaker: '' })
    this.state = this.current
    let before: readonly Person[] = []
    call.subscribe(() => {
      const { people } = call.get()
      if (people === before) return
      before = people
      this.listen()
    })
  }

  /** The call is over: nothing is looked at any more. */
  close(): void {
    clearTimeout(this.timer)
  }

  setLayout = (layout: Layout): void => this.change({ layout })
  setSelfView = (selfView: SelfView): void => this.change({ selfView })
  setMirror = (mirror: boolean): void => this.change({ mirror })
  chooseShare = (share: string): void => this.current.update((state) => ({ ...state, share }))

  /** Pins somebody, or takes the pin out. Of more than fit the oldest pin goes, and whoever has left counts for none. */
  togglePin = (identity: string): void => {
    const { pins } = this.current.get()
    const present = this.call.get().people.map((person) => person.identity)
    const others = pins.filter((one) => one !== identity && present.includes(one))
    this.change({ pins: pins.includes(identity) ? others : [...others, identity].slice(-mostPins) })
  }

  /** Loudness from 0 to 1. */
  setVolume = (identity: string, volume: number): void => {
    const others = Object.fromEntries(Object.entries(this.current.get().volumes).filter(([one]) => one !== identity))
    const heard = Math.min(1, Math.max(0, volume))
    this.change({ volumes: heard === 1 ? others : last({ ...others, [identity]: heard }) })
  }

  toggleSilenced = (identity: string): void => {
    const { silenced } = this.current.get()
    this.change({ silenced: silenced.includes(identity) ? silenced.filter((one) => one !== identity) : [...silenced, identity].slice(-mostKept) })
  }

  private change(part: Partial<ViewState>): void {
    const next = { ...this.current.get(), ...part }
    const { layout, selfView, mirror, pins, volumes, silenced } = next
    write(this.keep.browser, habitsKey, { layout, selfView, mirror })
    write(this.keep.tab, peopleKey, { pins, volumes, silenced })
    this.current.set(next)
  }

  private listen = (): void => {
    clearTimeout(this.timer)
    const { people, phase } = this.call.get()
    if (phase.is === 'over') return
    const now = Date.now()
    const { speech, again } = follow(this.speech, people.filter((person) => !person.self), now)
    this.speech = speech
    if (again !== null) this.timer = setTimeout(this.listen, again - now)
    const { shown: speaker } = speech
    if (speaker !== this.current.get().speaker) this.current.update((state) => ({ ...state, speaker }))
  }
}

function last<T>(entries: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).slice(-mostKept))
}

/** Reads what the viewer is used to; what is not understood is the default. */
export function readHabits(kept: unknown): Pick<ViewState, 'layout' | 'selfView' | 'mirror'> {
  const found = objectOf(kept) ?? {}
  return {
    layout: layouts.find((one) => one === found['layout']) ?? 'auto',
    selfView: selfViews.find((one) => one === found['selfView']) ?? 'tile',
    mirror: found['mirror'] !== false,
  }
}

/** Reads what was about people; what is not understood was not there. */
export function readPeople(kept: unknown): Pick<ViewState, 'pins' | 'volumes' | 'silenced'> {
  const found = objectOf(kept) ?? {}
  const texts = (value: unknown) => (Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string' && one !== '') : [])
  const volumes = Object.entries(objectOf(found['volumes']) ?? {}).filter((entry): entry is [string, number] => typeof entry[1] === 'number' && entry[1] >= 0 && entry[1] < 1)
  return { pins: texts(found['pins']).slice(-mostPins), volumes: last(Object.fromEntries(volumes)), silenced: texts(found['silenced']).slice(-mostKept) }
}

function read(storage: Keep['browser'], key: string): unknown {
  try {
    return JSON.parse(storage?.getItem(key) ?? 'null')
  } catch {
    return null
  }
}

function write(storage: Keep['browser'], key: string, value: unknown): void {
  try {
    storage?.setItem(key, JSON.stringify(value))
  } catch {
    // Kept for as long as the page is open only.
  }
}

/** This browser's storage; reading it may throw already, where it is blocked. */
export function browserKeep(): Keep {
  const open = (which: () => Storage): Storage | null => {
    try {
      return which()
    } catch {
      return null
    }
  }
  return { browser: open(() => localStorage), tab: open(() => sessionStorage) }
}
