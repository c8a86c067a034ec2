// The tiles: a grid, or one large shared screen with a strip beside it. A tile moves only when someone comes, leaves or shares.
import { ChevronLeft, ChevronRight, ImageOff, MonitorUp } from 'lucide-react'
import { useState, type KeyboardEvent, type ReactNode } from 'react'
import type { Reaction } from '@/api'
import { grid, inFront, page, perPage, smallestTile, type Person, type Share, type Size } from '@/call/live'
import { useT, Words } from '@/i18n'
import { Button } from '@/ui'
import type { MenuGroup } from '@/ui/overlays'
import { Video } from './Media'
import { Tile } from './Tile'
import { useSize } from './useSize'

type Reactions = Readonly<Record<string, Reaction>>
type MenuOf = (person: Person) => MenuGroup[]

interface Props {
  people: readonly Person[]
  shares: readonly Share[]
  /** Identities of those whom a host has put in front. */
  spotlight: readonly string[]
  menuOf: MenuOf
  reactions: Reactions
}

const gap = 8

export function Tiles({ people, shares, spotlight, menuOf, reactions }: Props) {
  // One's own screen is not shown back: it would mirror itself without end.
  const shown = shares.filter((share) => !share.self)
  const { front, others } = inFront(people, spotlight)
  if (shown.length > 0) return <Presentation people={[...front, ...others]} shares={shown} menuOf={menuOf} reactions={reactions} />
  if (front.length > 0 && others.length > 0) return <Spotlight front={front} others={others} menuOf={menuOf} reactions={reactions} />
  return <GridTiles people={front.length > 0 ? front : people} menuOf={menuOf} reactions={reactions} />
}

/** Those in front are large; the others stand beside, below on an upright phone. */
function Spotlight({ front, others, menuOf, reactions }: { front: readonly Person[]; others: readonly Person[]; menuOf: MenuOf; reactions: Reactions }) {
  const [box, size] = useSize<HTMLDivElement>()
  const place = placeFor(size)
  return (
    <div className={`presentation spotlight ${place}`} ref={box}>
      <GridTiles people={front} menuOf={menuOf} reactions={reactions} />
      {place === 'beside' ? <Strip people={others} menuOf={menuOf} reactions={reactions} /> : null}
      {place === 'below' ? <GridTiles people={others} menuOf={menuOf} reactions={reactions} /> : null}
    </div>
  )
}

/** A list of tiles: one stop in the order of tabs, arrows between tiles, Enter for the menu of the person. */
function List({ className, style, children }: { className: string; style?: { maxInlineSize: number; minBlockSize: number }; children: ReactNode }) {
  const t = useT()
  const onKeyDown = (event: KeyboardEvent<HTMLUListElement>) => {
    const tiles = [...event.currentTarget.querySelectorAll<HTMLElement>(':scope > .tile')]
    const at = tiles.findIndex((tile) => tile === event.target)
    if (at < 0) return
    const forward = getComputedStyle(event.currentTarget).direction === 'rtl' ? 'ArrowLeft' : 'ArrowRight'
    const step = event.key === 'ArrowDown' || event.key === forward ? 1 : event.key === 'ArrowUp' || event.key === 'ArrowLeft' || event.key === 'ArrowRight' ? -1 : 0
    const to = event.key === 'Home' ? 0 : event.key === 'End' ? tiles.length - 1 : step ? Math.min(Math.max(0, at + step), tiles.length - 1) : -1
    if (to >= 0) {
      event.preventDefault()
      tiles[to]?.focus()
    } else if (event.key === 'Enter') {
      event.preventDefault()
      tiles[at]?.querySelector<HTMLElement>('.tile-menu')?.click()
    }
  }
  // The list takes keys while a tile has the focus; the panel of people does the same for everybody else.
  // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
  return <ul className={className} aria-label={t('stage.tiles')} {...(style ? { style } : {})} onKeyDown={onKeyDown}>{children}</ul>
}

function GridTiles({ people, menuOf, reactions }: { people: readonly Person[]; menuOf: MenuOf; reactions: Reactions }) {
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
        <List className="tiles"><Tile person={speaker} reaction={reactions[speaker.identity]} width={one.tile.width} height={one.tile.height} first menuOf={menuOf} /></List>
      </div>
    )
  }
  return (
    <div className="grid" ref={box}>
      <List className="tiles" style={{ maxInlineSize: columns * tile.width + (columns - 1) * gap + 1, minBlockSize: rows * tile.height + (rows - 1) * gap }}>
        {size.width > 0 ? shown.tiles.map((person, i) => <Tile key={person.identity || 'self'} person={person} reaction={reactions[person.identity]} width={tile.width} height={tile.height} first={i === 0} menuOf={menuOf} />) : null}
      </List>
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

function Presentation({ people, shares, menuOf, reactions }: Omit<Props, 'spotlight'>) {
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
      {place === 'beside' ? <Strip people={order} menuOf={menuOf} reactions={reactions} /> : null}
      {place === 'below' ? <GridTiles people={order} menuOf={menuOf} reactions={reactions} /> : null}
    </div>
  )
}

/** Where people stand when someone shows a screen: beside it, below it on an upright phone, nowhere where there is no room. */
function placeFor({ width, height }: Size): 'beside' | 'below' | 'alone' {
  if (height > width) return 'below'
  return width / 5 >= narrowestInStrip ? 'beside' : 'alone'
}

function Strip({ people, menuOf, reactions }: { people: readonly Person[]; menuOf: MenuOf; reactions: Reactions }) {
  const shown = people.length <= stripLength ? people : [...people.slice(0, stripLength - 1), ...people.slice(-1)]
  return (
    <List className="strip">
      {shown.map((person, i) => <Tile key={person.identity || 'self'} person={person} reaction={reactions[person.identity]} first={i === 0} menuOf={menuOf} />)}
    </List>
  )
}
