// The tiles: a grid, or one large shared screen with a strip beside it. A tile moves only when someone comes, leaves or shares.
import { ChevronLeft, ChevronRight, ImageOff, MonitorUp } from 'lucide-react'
import { useState } from 'react'
import { grid, page, perPage, smallestTile, type Person, type Share, type Size } from '@/call/live'
import { useT, Words } from '@/i18n'
import { Button } from '@/ui'
import { Video } from './Media'
import { Tile } from './Tile'
import { useSize } from './useSize'

interface Props {
  people: readonly Person[]
  shares: readonly Share[]
}

const gap = 8

export function Tiles({ people, shares }: Props) {
  // One's own screen is not shown back: it would mirror itself without end.
  const others = shares.filter((share) => !share.self)
  return others.length > 0 ? <Presentation people={people} shares={others} /> : <GridTiles people={people} />
}

function GridTiles({ people }: { people: readonly Person[] }) {
  const t = useT()
  const [box, size] = useSize<HTMLDivElement>()
  const [wanted, setWanted] = useState(0)
  const shown = page(people, perPage(size), wanted)
  const area: Size = { width: size.width, height: size.height - (shown.pages > 1 ? 52 : 0) }
  const speaker = useSpeaker(people)
  // A last page with few people on it keeps the tiles of the others.
  const { tile, columns, rows } = grid(shown.pages > 1 ? perPage(size) : shown.tiles.length, area, gap)
  if (size.width > 0 && tile.height < smallestTile && speaker && people.length > 1) {
    const one = grid(1, size, gap)
    return (
      <div className="grid" ref={box}>
        <ul className="tiles" aria-label={t('stage.tiles')}><Tile person={speaker} width={one.tile.width} height={one.tile.height} /></ul>
      </div>
    )
  }
  return (
    <div className="grid" ref={box}>
      <ul className="tiles" aria-label={t('stage.tiles')} style={{ maxInlineSize: columns * tile.width + (columns - 1) * gap + 1, minBlockSize: rows * tile.height + (rows - 1) * gap }}>
        {size.width > 0 ? shown.tiles.map((person) => <Tile key={person.identity || 'self'} person={person} width={tile.width} height={tile.height} />) : null}
      </ul>
      {shown.pages > 1 ? <Pager page={shown.page} pages={shown.pages} onPage={setWanted} /> : null}
    </div>
  )
}

/** Who speaks, or spoke last; before anybody has, the first to have come. */
function useSpeaker(people: readonly Person[]): Person | undefined {
  const [last, setLast] = useState('')
  const speaking = people.find((person) => person.speaking && !person.self)
  if (speaking && speaking.identity !== last) setLast(speaking.identity)
  return speaking ?? people.find((person) => person.identity === last) ?? people[0]
}

function Pager({ page: at, pages, onPage }: { page: number; pages: number; onPage: (page: number) => void }) {
  const t = useT()
  return (
    <div className="pager" role="group" aria-label={t('stage.pages')}>
      <Button kind="quiet" aria-label={t('stage.page.before')} icon={<ChevronLeft className="flip" aria-hidden="true" />} busy={at === 0} onClick={() => onPage(at - 1)} />
      <span className="num">{t('stage.page', { n: at + 1, of: pages })}</span>
      <Button kind="quiet" aria-label={t('stage.page.after')} icon={<ChevronRight className="flip" aria-hidden="true" />} busy={at === pages - 1} onClick={() => onPage(at + 1)} />
    </div>
  )
}

const stripLength = 4
/** Narrower than this, in CSS pixels, a tile of the strip is all name and no face. */
const narrowestInStrip = 110

function Presentation({ people, shares }: { people: readonly Person[]; shares: readonly Share[] }) {
  const t = useT()
  const [chosen, setChosen] = useState('')
  const [box, size] = useSize<HTMLDivElement>()
  const share = shares.find((one) => one.identity === chosen) ?? shares[shares.length - 1]
  if (!share) return null
  // Whoever shows, then the order of arrival, self last.
  const order = [...people.filter((person) => person.identity === share.identity), ...people.filter((person) => person.identity !== share.identity)]
  const place = placeFor(size)
  return (
    <div className={`presentation ${place}`} ref={box}>
      <figure className="shared" data-share={share.identity}>
        <figcaption>
          <MonitorUp aria-hidden="true" />
          <span><Words id="stage.screen" values={{ name: <bdi>{share.name}</bdi> }} /></span>
          {shares.length > 1 ? shares.map((one) => <Button key={one.identity} aria-pressed={one === share} onClick={() => setChosen(one.identity)}><bdi>{one.name}</bdi></Button>) : null}
        </figcaption>
        <div><Video key={share.identity} track={share.picture} label={t('stage.screen', { name: share.name })} />{share.held ? <p className="held-note"><ImageOff aria-hidden="true" />{t('stage.held.screen')}</p> : null}</div>
      </figure>
      {place === 'beside' ? <Strip people={order} /> : null}
      {place === 'below' ? <GridTiles people={order} /> : null}
    </div>
  )
}

/** Where people stand when someone shows a screen: beside it, below it on an upright phone, nowhere where there is no room. */
function placeFor({ width, height }: Size): 'beside' | 'below' | 'alone' {
  if (height > width) return 'below'
  return width / 5 >= narrowestInStrip ? 'beside' : 'alone'
}

function Strip({ people }: { people: readonly Person[] }) {
  const t = useT()
  const shown = people.length <= stripLength ? people : [...people.slice(0, stripLength - 1), ...people.slice(-1)]
  return (
    <ul className="strip" aria-label={t('stage.tiles')}>
      {shown.map((person) => <Tile key={person.identity || 'self'} person={person} />)}
    </ul>
  )
}
