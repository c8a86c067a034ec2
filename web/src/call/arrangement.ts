// Who stands where, before any pixel: from who is there, what hosts and the viewer have put in front, and the layout that
// the viewer chose. Nothing else comes in, so that a tile moves only when one of these changes: no word, no hand, no
// camera and no speaker moves it. Only the large picture of the speaker layout follows who speaks (speaker.ts).
import { inFront } from './layout'
import type { Person, Share } from './people'

export const layouts = ['auto', 'grid', 'speaker'] as const
/** auto: a grid, and large whatever is shown or put in front. grid: everybody and every screen the same size. speaker: who speaks is large. */
export type Layout = (typeof layouts)[number]

export const selfViews = ['tile', 'small', 'hidden'] as const
/** Where one sees oneself: among the others, small in the corner, nowhere. Others see one all the same. */
export type SelfView = (typeof selfViews)[number]

/** What the viewer wants to see. */
export interface Wishes {
  layout: Layout
  selfView: SelfView
  /** Identities of those whom the viewer has pinned, in order. */
  pins: readonly string[]
  /** Whose screen the viewer has chosen, of several; '' for the one that came last. */
  share: string
  /** Who is large in the speaker layout. */
  speaker: string
}

/** A place among tiles of one size. */
export type Seat = { person: Person } | { share: Share }

export type Arrangement =
  | { is: 'grid'; seats: readonly Seat[] }
  /** Some large, the others beside. */
  | { is: 'front'; front: readonly Person[]; others: readonly Person[] }
  /** As front, but that everybody is beside: the strip stays as it is while the large picture changes. */
  | { is: 'speaker'; speaker: Person; people: readonly Person[] }
  | { is: 'presentation'; share: Share; shares: readonly Share[]; people: readonly Person[] }

interface Present {
  people: readonly Person[]
  shares: readonly Share[]
  /** Identities of those whom a host has put in front. */
  spotlight: readonly string[]
}

export function arrange({ people, shares, spotlight }: Present, { layout, selfView, pins, share, speaker }: Wishes): Arrangement {
  const shown = selfView === 'tile' ? people : people.filter((person) => !person.self)
  // One's own screen is not shown back: it would mirror itself without end.
  const screens = shares.filter((one) => !one.self)
  const { front, others } = inFront(shown, [...new Set([...pins, ...spotlight])])
  const ordered = [...front, ...others]
  if (layout === 'grid') return { is: 'grid', seats: [...screens.map((one) => ({ share: one })), ...seats(ordered)] }
  const screen = screens.find((one) => one.identity === share) ?? screens.at(-1)
  if (screen) return { is: 'presentation', share: screen, shares: screens, people: besideScreen(ordered, pins, screen.identity) }
  if (front.length > 0) return others.length > 0 ? { is: 'front', front, others } : { is: 'grid', seats: seats(front) }
  return layout === 'speaker' ? bySpeaker(shown, speaker) : { is: 'grid', seats: seats(shown) }
}

function seats(people: readonly Person[]): Seat[] {
  return people.map((person) => ({ person }))
}

/** Whom the viewer pinned, then whoever shows the screen, then the others in their order. */
function besideScreen(ordered: readonly Person[], pins: readonly string[], presenter: string): readonly Person[] {
  const rank = ({ identity }: Person) => (pins.includes(identity) ? 0 : identity === presenter ? 1 : 2)
  return ordered.toSorted((a, b) => rank(a) - rank(b))
}

function bySpeaker(people: readonly Person[], speaker: string): Arrangement {
  const heard = people.filter((person) => !person.self)
  const large = heard.find((person) => person.identity === speaker) ?? heard[0]
  if (!large) return { is: 'grid', seats: seats(people) }
  if (heard.length > 1) return { is: 'speaker', speaker: large, people }
  // Of one other there is no other to change to, and no need to be there twice.
  return people.length > 1 ? { is: 'front', front: [large], others: people.filter((person) => person !== large) } : { is: 'grid', seats: seats(people) }
}

/** What stays the same about a place, whoever sits on it: for a list of tiles. */
export function keyOf(seat: Seat): string {
  return 'share' in seat ? `share/${seat.share.identity}` : seat.person.identity || 'self'
}
