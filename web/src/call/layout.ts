// Where tiles stand. Pure geometry: the same people in the same window always give the same picture.

export interface Size { width: number; height: number }
export interface Grid { columns: number; rows: number; tile: Size }

const tallest = 1 // width over height, at least
const widest = 16 / 9

/** The largest equal tiles for n people: between square and 16:9, in full rows but the last, which is centred by the view. */
export function grid(n: number, area: Size, gap: number): Grid {
  let best: Grid = { columns: 1, rows: Math.max(1, n), tile: { width: 0, height: 0 } }
  let bestSurface = -1
  for (let columns = 1; columns <= n; columns++) {
    const rows = Math.ceil(n / columns)
    const room = { width: (area.width - gap * (columns - 1)) / columns, height: (area.height - gap * (rows - 1)) / rows }
    if (room.width <= 0 || room.height <= 0) continue
    const tile = fit(room)
    const surface = tile.width * tile.height
    // A hair more is not worth a longer row.
    if (surface > bestSurface * 1.001) {
      best = { columns, rows, tile }
      bestSurface = surface
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

/** How many tiles a page holds: 9, tablet 6, phone 4 (ux.md, stage). */
export function perPage(area: Size): number {
  if (area.width < 560) return 4
  return area.width < 900 || area.height < 380 ? 6 : 9
}

/** One page of the tiles, self on every page as its last tile. The page is brought into range. */
export function page<T>(tiles: readonly T[], size: number, wanted: number): { tiles: readonly T[]; page: number; pages: number } {
  const self = tiles.at(-1)
  if (tiles.length <= size || self === undefined) return { tiles, page: 0, pages: 1 }
  const others = tiles.slice(0, -1)
  const pages = Math.ceil(others.length / (size - 1))
  const at = Math.min(Math.max(0, wanted), pages - 1)
  return { tiles: [...others.slice(at * (size - 1), (at + 1) * (size - 1)), self], page: at, pages }
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
