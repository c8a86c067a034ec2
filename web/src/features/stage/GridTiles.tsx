// Tiles of one size, as large as they can be, on as many pages as they need.
import { ChevronLeft, ChevronRight } from 'lucide-react'
import { useState } from 'react'
import { grid, keyOf, page, perPage, smallestTile, type Person, type Seat, type Size } from '@/call/live'
import { useT } from '@/i18n'
import { Button } from '@/ui'
import { ShareTile } from './ShareTile'
import { PersonTile, TileList, type Drawn } from './TileList'
import { useSize } from './useSize'

const gap = 8
const pagerHeight = 52

export function GridTiles({ seats, drawn }: { seats: readonly Seat[]; drawn: Drawn }) {
  const [box, size] = useSize<HTMLDivElement>()
  const [wanted, setWanted] = useState(0)
  const shown = page(seats, perPage(size), wanted, isSelf(seats.at(-1)))
  const area: Size = { width: size.width, height: size.height - (shown.pages > 1 ? pagerHeight : 0) }
  // A last page with few people on it keeps the tiles of the others.
  const { tile, columns, rows } = grid(shown.pages > 1 ? perPage(size) : shown.tiles.length, area, gap)
  const turn = (to: number) => setWanted(Math.min(Math.max(0, to), shown.pages - 1))
  if (size.width > 0 && tile.height < smallestTile && seats.length > 1) {
    const one = grid(1, size, gap).tile
    return (
      <div className="grid" ref={box}>
        <TileList className="tiles" drawn={drawn}><SeatTile seat={speakerOf(seats, drawn.view.speaker)} drawn={drawn} first width={one.width} height={one.height} /></TileList>
      </div>
    )
  }
  return (
    <div className="grid" ref={box}>
      <TileList
        className="tiles" drawn={drawn} onPage={shown.pages > 1 ? (step) => turn(shown.page + step) : undefined}
        style={{ maxInlineSize: columns * tile.width + (columns - 1) * gap + 1, minBlockSize: rows * tile.height + (rows - 1) * gap }}
      >
        {size.width > 0 ? shown.tiles.map((seat, i) => <SeatTile key={keyOf(seat)} seat={seat} drawn={drawn} first={i === 0} width={tile.width} height={tile.height} />) : null}
      </TileList>
      {shown.pages > 1 ? <Pager page={shown.page} pages={shown.pages} onPage={turn} /> : null}
    </div>
  )
}

export const seatsOf = (people: readonly Person[]): Seat[] => people.map((person) => ({ person }))

export function isSelf(seat: Seat | undefined): boolean {
  return seat !== undefined && 'person' in seat && seat.person.self
}

/** Who is shown where only one has room. */
function speakerOf(seats: readonly Seat[], speaker: string): Seat {
  return seats.find((seat) => 'person' in seat && seat.person.identity === speaker) ?? seats[0] as Seat
}

interface SeatProps { seat: Seat; drawn: Drawn; first: boolean; width: number; height: number }

function SeatTile({ seat, drawn, ...rest }: SeatProps) {
  return 'share' in seat ? <ShareTile share={seat.share} onLarge={drawn.onShare} {...rest} /> : <PersonTile person={seat.person} drawn={drawn} {...rest} />
}

export function Pager({ page: at, pages, onPage }: { page: number; pages: number; onPage: (page: number) => void }) {
  const t = useT()
  return (
    <div className="pager" role="group" aria-label={t('stage.pages')}>
      <Button kind="quiet" aria-label={t('stage.page.before')} icon={<ChevronLeft className="flip" aria-hidden="true" />} busy={at === 0} onClick={() => onPage(at - 1)} />
      <span className="num">{t('stage.page', { n: at + 1, of: pages })}</span>
      <Button kind="quiet" aria-label={t('stage.page.after')} icon={<ChevronRight className="flip" aria-hidden="true" />} busy={at === pages - 1} onClick={() => onPage(at + 1)} />
    </div>
  )
}
