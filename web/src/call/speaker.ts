// Who is large in the speaker layout: somebody who has spoken for a while, and then for a while at least. A cough changes
// nothing, nor does a breath between two words.

/** For how long one speaks before one becomes large, in milliseconds (ux.md, stage). */
export const speaksFor = 1_500
/** For how long one stays large, in milliseconds (ux.md, stage). */
export const holdsFor = 4_000
/** A pause this short, in milliseconds, is part of speech: detectors of speech fall silent between words. */
export const breath = 600

interface Spoken {
  /** Since when, in milliseconds. */
  from: number
  /** When the pause began that may end it; null while words come. */
  silentAt: number | null
}

export interface Speech {
  /** Identity of who is large; '' while nobody is there. */
  shown: string
  /** Since when. */
  since: number
  spoken: Readonly<Record<string, Spoken>>
}

export const silence: Speech = { shown: '', since: -Infinity, spoken: {} }

interface Heard { identity: string; speaking: boolean }

/**
 * What follows from who speaks now among those present, in order of arrival and without oneself; and when to look again
 * though nothing is heard until then, or null. Of several who speak, the one who began last is large.
 */
export function follow(before: Speech, present: readonly Heard[], now: number): { speech: Speech; again: number | null } {
  const spoken: Record<string, Spoken> = {}
  for (const { identity, speaking } of present) {
    const was = Object.hasOwn(before.spoken, identity) ? before.spoken[identity] : undefined
    const goesOn = was !== undefined && (was.silentAt === null || now - was.silentAt < breath)
    if (speaking) spoken[identity] = { from: goesOn ? was.from : now, silentAt: null }
    else if (goesOn) spoken[identity] = { from: was.from, silentAt: was.silentAt ?? now }
  }
  const speaking = Object.entries(spoken).filter(([, { silentAt }]) => silentAt === null)
  const ready = speaking.filter(([, { from }]) => now - from >= speaksFor)
  const latest = ready.reduce<(typeof ready)[number] | undefined>((best, one) => (best && best[1].from >= one[1].from ? best : one), undefined)?.[0]
  const here = present.some(({ identity }) => identity === before.shown)
  const free = !here || now - before.since >= holdsFor
  const { shown, since } = latest !== undefined && latest !== before.shown && free
    ? { shown: latest, since: now }
    // Whoever is large because nobody has spoken yet is held by nothing.
    : here ? before : { shown: present[0]?.identity ?? '', since: -Infinity }
  const times = speaking.map(([, { from }]) => from + speaksFor).filter((at) => at > now)
  if (latest !== undefined && latest !== shown) times.push(since + holdsFor)
  return { speech: { shown, since, spoken }, again: times.length > 0 ? Math.min(...times) : null }
}
