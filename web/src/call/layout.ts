// Where tiles stand. Pure geometry: the same people in the same window always give the same picture.

export interface Size { width: number; height: number }
export interface Grid { columns: number; rows: number; tile: Size }

const tallest = 1 // width over height, at least
const widest = 16 / 9

/** A phone, or what a panel leaves of one held sideways. */
function narrow(area: Size): boolean {
  return area.width < 560
}

/**
 * The largest equal tiles for n people: between square and 16:9, in full rows but the last, which is centred by the view.
 * Where room is short the tallest tiles win instead: pictures are wide, so that a face is as large as its tile is tall.
 */
export function grid(n: number, area: Size, gap: number): Grid {
  let best: Grid = { columns: 1, rows: Math.max(1, n), tile: { width: 0, height: 0 } }
  let bestWorth = -1
  for (let columns = 1; columns <= n; columns++) {
    const rows = Math.ceil(n / columns)
    const room = { width: (area.width - gap * (columns - 1)) / columns, height: (area.height - gap * (rows - 1)) / rows }
    if (room.width <= 0 || room.height <= 0) continue
    const tile = fit(room)
    const worth = narrow(area) ? tile.height ** 2 : tile.width * tile.height
    // A hair more is not worth a longer row.
    if (worth > bestWorth * 1.001) {
      best = { columns, rows, tile }
      bestWorth = worth
    }
  }
  return best
}

function fit(room: Size): Size {
  const ratio = room.width / room.height
  if (ratio > widest) return { width: Math.floor(room.height * widest), height: Math.floor(room.height) }
  if (ratio < tallest) return { width: Math.floor(room.width), height: Math.floor(room.width / tallest) }
  return { width: Math.floor(room.width), height: Math.floor(room.height) }
}

/** How many tiles a page holds: 9, tablet 6, phone 4 (ux.md, stage); under a phone's sheet small ones, in two rows or in one. */
export function perPage(area: Size): number {
  if (narrow(area)) return area.height >= 400 ? 4 : area.height >= 220 ? 6 : 3
  return area.width < 900 || area.height < 380 ? 6 : 9
}

/** Below this height, in CSS pixels, a tile shows a name and no face: only the speaker is shown then. */
export const smallestTile = 72

/** One page of the tiles, the last tile on every page where it is oneself. The page is brought into range. */
export function page<T>(tiles: readonly T[], size: number, wanted: number, selfLast = true): { tiles: readonly T[]; page: number; pages: number } {
  if (tiles.length <= size) return { tiles, page: 0, pages: 1 }
  const self = selfLast ? tiles.slice(-1) : []
  const others = tiles.slice(0, tiles.length - self.length)
  const room = size - self.length
  const pages = Math.ceil(others.length / room)
  const at = Math.min(Math.max(0, wanted), pages - 1)
  return { tiles: [...others.slice(at * room, (at + 1) * room), ...self], page: at, pages }
}

/** Those in the spotlight, in its order, and the others in theirs. Whoever is not there is nowhere. */
export function inFront<T extends { identity: string }>(people: readonly T[], spotlight: readonly string[]): { front: readonly T[]; others: readonly T[] } {
  const front = spotlight.map((identity) => people.find((person) => person.identity === identity)).filter((person) => person !== undefined)
  return { front, others: front.length === 0 ? people : people.filter((person) => !front.includes(person)) }
}

/** Up to two letters for a person without picture: first letters of the first and last words, by grapheme. */
export function initials(name: string): string {
  const words = name.split(/[\s\-–—]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word))
  const first = words[0]
  const last = words.length > 1 ? words[words.length - 1] : undefined
  return [first, last].map((word) => letter(word ?? '')).join('')
}

function letter(word: string): string {
  const match = /[\p{L}\p{N}]\p{M}*/u.exec(word)
  return (match?.[0] ?? '').toLocaleUpperCase()
}
