// Something large, and people beside it: in a strip, below on an upright phone, nowhere where there is no room.
import { useState, type ReactNode } from 'react'
import { page, type Person, type Size } from '@/call/live'
import { GridTiles, Pager, seatsOf } from './GridTiles'
import { PersonTile, TileList, type Drawn } from './TileList'
import { useSize } from './useSize'

interface Props {
  className: string
  large: ReactNode
  people: readonly Person[]
  drawn: Drawn
}

export function Beside({ className, large, people, drawn }: Props) {
  const [box, size] = useSize<HTMLDivElement>()
  const place = placeFor(size)
  return (
    <div className={`${className} ${place}`} ref={box}>
      {large}
      {place === 'beside' ? <Strip people={people} drawn={drawn} /> : null}
      {place === 'below' ? <GridTiles seats={seatsOf(people)} drawn={drawn} /> : null}
    </div>
  )
}

const stripLength = 4
/** Narrower than this, in CSS pixels, a tile of the strip is all name and no face. */
const narrowestInStrip = 110

function placeFor({ width, height }: Size): 'beside' | 'below' | 'alone' {
  if (height > width) return 'below'
  return width / 5 >= narrowestInStrip ? 'beside' : 'alone'
}

function Strip({ people, drawn }: { people: readonly Person[]; drawn: Drawn }) {
  const [wanted, setWanted] = useState(0)
  const shown = page(people, stripLength, wanted, people.at(-1)?.self ?? false)
  const turn = (to: number) => setWanted(Math.min(Math.max(0, to), shown.pages - 1))
  return (
    <div className="strip-box">
      <TileList className="strip" drawn={drawn} onPage={shown.pages > 1 ? (step) => turn(shown.page + step) : undefined}>
        {shown.tiles.map((person, i) => <PersonTile key={person.identity || 'self'} person={person} drawn={drawn} first={i === 0} />)}
      </TileList>
      {shown.pages > 1 ? <Pager page={shown.page} pages={shown.pages} onPage={turn} /> : null}
    </div>
  )
}
