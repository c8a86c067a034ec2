import { Maximize2, MonitorUp } from 'lucide-react'
import type { Share } from '@/call/live'
import { useT, Words } from '@/i18n'
import { Video } from './Media'

interface Props {
  share: Share
  first: boolean
  width: number
  height: number
  /** Makes it large. */
  onLarge: (identity: string) => void
}

/** A screen among the tiles of the grid, whole, with a button that makes it large. */
export function ShareTile({ share, first, width, height, onLarge }: Props) {
  const t = useT()
  return (
    // The tiles are a list that is walked with arrows (TileList.tsx).
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <li tabIndex={first ? 0 : -1} className="tile screen" style={{ inlineSize: width, blockSize: height }} data-share={share.identity}>
      {share.picture ? <Video track={share.picture} label={t('stage.screen', { name: share.name })} /> : null}
      <button type="button" className="tile-menu tile-large" tabIndex={-1} aria-label={t('stage.screen.large', { name: share.name })} onClick={() => onLarge(share.identity)}><Maximize2 aria-hidden="true" /></button>
      <div className="caption"><MonitorUp aria-hidden="true" /><span className="name"><Words id="stage.screen" values={{ name: <bdi>{share.name}</bdi> }} /></span></div>
    </li>
  )
}
