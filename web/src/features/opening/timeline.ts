// What an index says, in the order in which it is played: who is there when, with which picture and sound, what happened.
import type { Index, IndexEvent } from './messages'

export type Span = readonly [from: number, to: number]

export interface Track {
  file: string
  identity: string
  kind: 'camera' | 'screen' | 'sound'
  codec: string
  start: number
  /** When there is something of it. */
  spans: readonly Span[]
}

export interface Someone { identity: string; name: string; there: readonly Span[] }

/** What is worth going to. */
export interface Moment { at: number; kind: 'came' | 'left' | 'spoke' | 'wrote' | 'paused' | 'gap' | 'shared'; identity: string; until?: number; text?: string }

export interface Timeline {
  duration: number
  people: readonly Someone[]
  tracks: readonly Track[]
  moments: readonly Moment[]
  /** When there is nothing of anybody, because it was paused or interrupted: played over. */
  skips: readonly Span[]
  speaking: readonly { at: number; identities: readonly string[] }[]
}

/** A picture that stands still for longer than this is not what was sent. */
const stillMost = 2
/** A turn to speak: shorter ones are a word in between. */
const turnLeast = 1.5
/** Who goes on after a silence of this length has the same turn. */
const silenceMost = 2
/** A pause of less is none: stopping begins with one. */
const skipLeast = 1

export const within = (spans: readonly Span[], at: number): boolean => spans.some(([from, to]) => at >= from && at < to)

export function timelineOf(index: Index): Timeline {
  const tracks = index.files.map((one): Track => {
    const kind = one.source === 'camera' ? 'camera' : one.source === 'screen_share' ? 'screen' : one.codec.toLowerCase() === 'opus' ? 'sound' : 'camera'
    const end = one.start + Math.max(one.duration, 0.02)
    return { file: one.file, identity: one.identity, kind, codec: one.codec, start: one.start, spans: kind === 'sound' ? [[one.start, end]] : without([one.start, end], one.holes ?? []) }
  })
  const people = index.people
    .filter(({ identity }) => index.files.some((one) => one.identity === identity) || index.skipped?.some((one) => one.identity === identity))
    .map(({ identity, name }) => ({ identity, name, there: thereOf(index, identity) }))
  const named = new Set(people.map(({ identity }) => identity))
  const speaking = index.events.filter(({ kind }) => kind === 'speaking').map(({ at, identities }) => ({ at, identities: (identities ?? []).filter((one) => named.has(one)) }))
  const silences = silencesOf(index, tracks).filter(({ at, until }) => until - at >= skipLeast)
  const moments = [
    ...index.events.flatMap((one) => momentOf(one, named)),
    ...silences.map((one): Moment => ({ ...one, identity: '' })),
    ...tracks.filter(({ kind }) => kind === 'screen').map(({ start, identity }): Moment => ({ at: start, kind: 'shared', identity })),
    ...turnsOf(speaking, index.duration),
  ]
  return { duration: index.duration, people, tracks, speaking, moments: moments.sort((a, b) => a.at - b.at), skips: silences.filter(({ until }) => until < index.duration).map(({ at, until }): Span => [at, until]) }
}

/** A span without the long holes in it. */
function without([from, to]: Span, holes: readonly { from: number; to: number }[]): Span[] {
  const spans: Span[] = []
  let begin = from
  for (const hole of holes) {
    if (hole.to - hole.from <= stillMost) continue
    spans.push([begin, hole.from + stillMost])
    begin = hole.to
  }
  return [...spans, [begin, to]]
}

/** Who is there when it begins is told within this time, in seconds. */
const toldWithin = 1

/** When somebody was in the meeting, as far as it is told; those of whom it is not were there all the time. */
function thereOf(index: Index, identity: string): Span[] {
  const spans: Span[] = []
  let since: number | null = null
  for (const { at, kind, identity: who } of index.events) {
    if (who !== identity) continue
    if (kind === 'joined') since ??= at < toldWithin ? 0 : at
    else if (kind === 'left' && since !== null) {
      spans.push([since, at])
      since = null
    }
  }
  if (since !== null || spans.length === 0) spans.push([since ?? 0, index.duration + 1])
  return spans
}

interface Silence { at: number; until: number; kind: 'paused' | 'gap' }

/** When nothing was recorded: it was paused, or the server was away until its next part started. */
function silencesOf(index: Index, tracks: readonly Track[]): Silence[] {
  const silences: Silence[] = []
  let since: number | null = null
  let started = false
  let told = 0
  const resume = (until: number) => {
    if (since !== null) silences.push({ at: since, until, kind: 'paused' })
    since = null
  }
  for (const { at, kind } of index.events) {
    if (kind === 'paused') since ??= at
    else if (kind === 'resumed' || kind === 'stopped') resume(at)
    else if (kind === 'started') {
      if (since === null && started) {
        const last = Math.max(told, ...tracks.flatMap(({ spans }) => spans.filter(([from]) => from < at).map(([, to]) => Math.min(to, at))))
        silences.push({ at: last, until: at, kind: 'gap' })
      }
      resume(at)
      started = true
    }
    told = Math.max(told, at)
  }
  resume(index.duration)
  return silences
}

function momentOf(event: IndexEvent, named: ReadonlySet<string>): Moment[] {
  const identity = event.identity ?? ''
  if (event.kind === 'gap') return [{ at: event.since ?? event.at, until: event.at, kind: 'gap', identity: '' }]
  if (event.kind === 'message') return [{ at: event.at, kind: 'wrote', identity, text: event.text ?? '' }]
  if (!named.has(identity)) return []
  if (event.kind === 'joined') return [{ at: event.at, kind: 'came', identity }]
  if (event.kind === 'left') return [{ at: event.at, kind: 'left', identity }]
  return []
}

/** Who had the word, one after the other; who goes on is not told again before somebody else had it. */
function turnsOf(speaking: Timeline['speaking'], duration: number): Moment[] {
  const turns: { at: number; until: number; identity: string }[] = []
  const now = new Map<string, { at: number; until: number; identity: string }>()
  speaking.forEach(({ at, identities }, i) => {
    const until = speaking[i + 1]?.at ?? duration
    for (const identity of identities) {
      const known = now.get(identity)
      if (known && at - known.until <= silenceMost) known.until = until
      else {
        const turn = { at, until, identity }
        now.set(identity, turn)
        turns.push(turn)
      }
    }
  })
  return turns
    .filter((turn) => turn.until - turn.at >= turnLeast)
    .filter((turn, i, all) => all[i - 1]?.identity !== turn.identity)
    .map(({ at, identity }) => ({ at, identity, kind: 'spoke' }))
}

/** Who speaks at a time, the loudest first. */
export function speakingAt({ speaking }: Timeline, at: number): readonly string[] {
  let low = 0
  let high = speaking.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((speaking[middle]?.at ?? 0) <= at) low = middle + 1
    else high = middle
  }
  return speaking[low - 1]?.identities ?? []
}

/** What is seen and heard at a time. */
export interface Shown {
  people: readonly { identity: string; name: string; camera: Track | null; speaks: boolean }[]
  screen: Track | null // the latest
  sounds: readonly Track[]
}

export function shownAt(timeline: Timeline, at: number): Shown {
  const now = timeline.tracks.filter(({ spans }) => within(spans, at))
  const latest = (all: readonly Track[]) => all.reduce<Track | null>((best, one) => (best && best.start > one.start ? best : one), null)
  const speaking = speakingAt(timeline, at)
  return {
    people: timeline.people.filter(({ there }) => within(there, at)).map(({ identity, name }) => ({
      identity, name, speaks: speaking.includes(identity), camera: latest(now.filter((one) => one.identity === identity && one.kind === 'camera')),
    })),
    screen: latest(now.filter(({ kind }) => kind === 'screen')),
    sounds: now.filter(({ kind }) => kind === 'sound'),
  }
}

/** Where to go on instead of playing what is left out. */
export function skipTo({ skips }: Timeline, at: number): number | null {
  return skips.find(([from, to]) => at >= from && at < to)?.[1] ?? null
}
