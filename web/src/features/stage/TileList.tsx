// A list of tiles is walked with the keyboard: one stop in the order of tabs, arrows between tiles, Enter for the menu of the
// person, E to pin, page keys from page to page.
import type { CSSProperties, KeyboardEvent, ReactNode } from 'react'
import type { Reaction } from '@/api'
import { intents } from '@/call'
import type { Person, RecordingTold, ViewState } from '@/call/live'
import { preferences } from '@/call/preferences'
import { useT } from '@/i18n'
import type { MenuGroup } from '@/ui/overlays'
import { Tile } from './Tile'

/** What every tile is drawn with, wherever it stands. */
export interface Drawn {
  reactions: Readonly<Record<string, Reaction>>
  menuOf: (person: Person) => MenuGroup[]
  view: ViewState
  /** What is asked for or under way; null: nothing. */
  recording: RecordingTold | null
  /** Pins somebody, or takes the pin out. */
  onPin: (identity: string) => void
  onShare: (identity: string) => void
  /** Puts one's own picture among the others. */
  onSelf: () => void
}

interface ListProps {
  className: string
  label?: string
  style?: CSSProperties
  drawn: Drawn
  onPage?: ((step: 1 | -1) => void) | undefined
  children: ReactNode
}

export function TileList({ className, label, style, drawn, onPage, children }: ListProps) {
  const t = useT()
  const onKeyDown = (event: KeyboardEvent<HTMLUListElement>) => {
    const tiles = [...event.currentTarget.querySelectorAll<HTMLElement>(':scope > .tile')]
    const at = tiles.findIndex((tile) => tile === event.target)
    const tile = tiles[at]
    if (!tile || event.ctrlKey || event.metaKey || event.altKey) return
    const to = placeAfter(event.key, at, tiles.length, getComputedStyle(event.currentTarget).direction === 'rtl')
    if (to !== null) tiles[to]?.focus()
    else if (event.key === 'Enter') tile.querySelector<HTMLElement>('.tile-menu, .tile-large')?.click()
    else if (event.key === 'PageDown' || event.key === 'PageUp') onPage?.(event.key === 'PageDown' ? 1 : -1)
    else if (event.key.toLowerCase() === 'e' && intents.get().keys && !preferences.get().keysOff.includes('e') && tile.dataset['identity'] && tile.dataset['self'] !== 'true') drawn.onPin(tile.dataset['identity'])
    else return
    event.preventDefault()
  }
  // The list takes keys while a tile has the focus; the panel of people does the same for everybody else.
  // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
  return <ul className={className} aria-label={label ?? t('stage.tiles')} {...(style ? { style } : {})} onKeyDown={onKeyDown}>{children}</ul>
}

function placeAfter(key: string, at: number, length: number, rightToLeft: boolean): number | null {
  const within = (place: number) => Math.min(Math.max(0, place), length - 1)
  switch (key) {
    case 'ArrowDown':
      return within(at + 1)
    case 'ArrowUp':
      return within(at - 1)
    case 'ArrowRight':
      return within(at + (rightToLeft ? -1 : 1))
    case 'ArrowLeft':
      return within(at + (rightToLeft ? 1 : -1))
    case 'Home':
      return 0
    case 'End':
      return length - 1
    default:
      return null
  }
}

interface PersonProps {
  person: Person
  drawn: Drawn
  first: boolean
  width?: number
  height?: number
}

/** The tile of a person, with what of the view concerns this person alone. */
export function PersonTile({ person, drawn: { reactions, menuOf, view }, ...rest }: PersonProps) {
  return (
    <Tile
      person={person} reaction={reactions[person.identity]} menuOf={menuOf} mirrored={person.self && view.mirror}
      pinned={view.pins.includes(person.identity)} silenced={view.silenced.includes(person.identity)} {...rest}
    />
  )
}
