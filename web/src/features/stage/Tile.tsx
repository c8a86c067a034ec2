import { CircleSlash, Ellipsis, Hand, ImageOff, MicOff, Pin, Volume2, VolumeX, WifiOff } from 'lucide-react'
import { memo } from 'react'
import type { Reaction } from '@/api'
import { initials, type Person } from '@/call/live'
import { ReactionIcon } from '@/features/controls'
import { useT } from '@/i18n'
import { MenuButton, type MenuGroup } from '@/ui/overlays'
import { Video } from './Media'

interface Props {
  person: Person
  reaction?: Reaction | undefined
  width?: number
  height?: number
  /** The stop of the tiles in the order of tabs. */
  first: boolean
  mirrored: boolean
  /** By the viewer. */
  pinned: boolean
  /** Not heard by the viewer, who wants it so. */
  silenced: boolean
  /** What the person looking may do about this one. */
  menuOf: (person: Person) => MenuGroup[]
}

/** One person: picture or initials, name, microphone, speaking. Drawn again only for news of this person, or a change of place. */
export const Tile = memo(function Tile({ person, reaction, width, height, first, mirrored, pinned, silenced, menuOf }: Props) {
  const t = useT()
  const name = person.self ? t('stage.you') : person.name
  const held = person.picture !== null && person.held
  const menu = menuOf(person)
  const size = width === undefined ? undefined : { inlineSize: width, blockSize: height }
  return (
    // The tiles are a list that is walked with arrows (TileList.tsx).
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <li tabIndex={first ? 0 : -1} className={`tile ${person.speaking ? 'speaks' : ''} ${person.lost ? 'lost' : ''} ${held ? 'held' : ''}`} style={size} data-identity={person.identity} data-self={person.self} data-speaking={person.speaking} data-muted={!person.micOn} data-camera={person.picture !== null}>
      {/* A picture held back stays attached: the server gives it again when there is room, as long as it is wanted. */}
      {person.picture ? <Video track={person.picture} mirrored={mirrored} label={person.self ? t('stage.picture.self') : t('stage.picture', { name })} /> : null}
      {person.picture === null || held ? <div className="avatar" aria-hidden="true"><b>{initials(person.name)}</b></div> : null}
      {menu.length > 0 ? <MenuButton label={t('stage.tile.acts', { name: person.name })} className="tile-menu" button={<Ellipsis aria-hidden="true" />} groups={menu} excludeFromTabOrder /> : null}
      {person.hand > 0 || reaction || pinned ? (
        <div className="marks">
          {pinned ? <span className="pin"><Pin aria-hidden="true" /><span>{t('stage.pinned')}</span></span> : null}
          {person.hand > 0 ? <span className="hand"><Hand aria-hidden="true" /><span className="vh">{t('stage.hand', { n: person.hand })}</span><b className="num" aria-hidden="true">{person.hand}</b></span> : null}
          {/* Said once for all tiles, with others of the same moment. */}
          {reaction ? <span className="reaction" key={reaction} data-reaction={reaction}><ReactionIcon reaction={reaction} /><span>{t(`react.${reaction}`)}</span></span> : null}
        </div>
      ) : null}
      <div className="caption">
        {person.speaking ? <><Volume2 aria-hidden="true" /><span className="vh">{t('people.speaks')}</span></> : null}
        {person.micOn ? null : <><MicOff aria-hidden="true" className="off" /><span className="vh">{t('ctl.mic.off')}</span></>}
        {silenced ? <><VolumeX aria-hidden="true" className="off" /><span className="vh">{t('hear.silenced')}</span></> : null}
        <bdi className="name">{name}</bdi>
        {person.organisation ? <small><bdi>{person.organisation}</bdi></small> : null}
        {person.recorded === false ? <span className="away" data-testid="unrecorded"><CircleSlash aria-hidden="true" /><span>{t('rec.tile.out')}</span></span> : null}
        {held && !person.lost ? <span className="away"><ImageOff aria-hidden="true" /><span>{t('stage.held')}</span></span> : null}
        {person.lost ? <span className="away"><WifiOff aria-hidden="true" /><span>{t('stage.lost')}</span></span> : null}
      </div>
    </li>
  )
})
