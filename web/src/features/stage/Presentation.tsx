// A screen that somebody shows, with people beside it. Of several screens the viewer chooses one.
import { ImageOff, Maximize, Minimize, MonitorUp } from 'lucide-react'
import { useRef } from 'react'
import type { Person, Share } from '@/call/live'
import { useT, Words } from '@/i18n'
import { Button } from '@/ui'
import { Beside } from './Beside'
import { Video } from './Media'
import { RecordedMark } from './RecordedMark'
import type { Drawn } from './TileList'
import { useFullScreen } from './useFullScreen'

interface Props {
  share: Share
  shares: readonly Share[]
  people: readonly Person[]
  drawn: Drawn
}

export function Presentation({ share, shares, people, drawn }: Props) {
  return <Beside className="presentation" people={people} drawn={drawn} large={<Screen share={share} shares={shares} drawn={drawn} />} />
}

function Screen({ share, shares, drawn }: Omit<Props, 'people'>) {
  const t = useT()
  const figure = useRef<HTMLElement>(null)
  const full = useFullScreen(figure)
  return (
    <figure className="shared" data-share={share.identity} ref={figure}>
      <figcaption>
        <MonitorUp aria-hidden="true" />
        <span className="what"><Words id="stage.screen" values={{ name: <bdi>{share.name}</bdi> }} /></span>
        {shares.length > 1 ? shares.map((one) => <Button key={one.identity} aria-pressed={one === share} onClick={() => drawn.onShare(one.identity)}><bdi>{one.name}</bdi></Button>) : null}
        {full.on && drawn.recording ? <RecordedMark told={drawn.recording} /> : null}
        {full.offered ? <Button className="full" aria-label={t(full.on ? 'stage.full.leave' : 'stage.full.screen')} icon={full.on ? <Minimize aria-hidden="true" /> : <Maximize aria-hidden="true" />} onClick={full.toggle} /> : null}
      </figcaption>
      <div>
        {share.picture ? <Video key={share.identity} track={share.picture} label={t('stage.screen', { name: share.name })} /> : null}
        {share.held ? <p className="held-note"><ImageOff aria-hidden="true" />{t('stage.held.screen')}</p> : null}
      </div>
    </figure>
  )
}
