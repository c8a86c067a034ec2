// The pictures: everybody in a tile, a shared screen large; below, who speaks.
import { MonitorUp, VideoOff } from 'lucide-react'
import { Fragment, useCallback } from 'react'
import { useT } from '@/i18n'
import { useStore } from '@/ui'
import type { Player } from './player'
import type { Track } from './timeline'

export function Stage({ player, names }: { player: Player; names: ReadonlyMap<string, string> }) {
  const t = useT()
  const scene = useStore(player.scene)
  const speaks = scene.people.filter((one) => one.speaks).map(({ name }) => name)
  const columns = Math.ceil(Math.sqrt(scene.people.length))
  const screens = scene.near.filter(({ kind }) => kind === 'screen')
  return (
    <section className="opening-stage" aria-label={t('opening.stage')} data-testid="stage">
      <div className={scene.screen ? 'opening-screen' : 'opening-screen away'}>
        {screens.map((one) => <Picture key={one.file} player={player} track={one} on={one === scene.screen} />)}
        {scene.screen ? <p className="caption"><MonitorUp aria-hidden="true" /><bdi>{names.get(scene.screen.identity)}</bdi></p> : null}
      </div>
      <ul className={scene.screen ? 'opening-tiles small' : 'opening-tiles'} data-columns={Math.min(columns, 4)}>
        {scene.people.map(({ identity, name, camera, speaks: now }) => (
          <li key={identity} className={now ? 'opening-tile speaks' : 'opening-tile'} data-testid="tile">
            {camera ? null : <span className="opening-initial" aria-hidden="true"><VideoOff /></span>}
            {scene.near.filter((one) => one.kind === 'camera' && one.identity === identity).map((one) => <Picture key={one.file} player={player} track={one} on={one === camera} />)}
            <p className="caption"><bdi>{name}</bdi>{camera && scene.failed.includes(camera.file) ? <small>{t('opening.unplayable', { codec: camera.codec })}</small> : null}</p>
          </li>
        ))}
      </ul>
      {scene.people.length === 0 ? <p className="opening-nobody">{t('opening.nobody')}</p> : null}
      {scene.sounds.filter(({ file }) => scene.failed.includes(file)).map((one) => <p key={one.file} className="opening-unheard">{t('opening.unheard', { codec: one.codec, name: names.get(one.identity) ?? one.identity })}</p>)}
      {/* Each name by itself: one in another script turns round what stands beside it. */}
      <p className="opening-speaking" data-testid="speaking">{speaks.map((name, i) => <Fragment key={`${i} ${name}`}>{i > 0 ? ' · ' : null}<bdi>{name}</bdi></Fragment>)}</p>
      {scene.near.filter(({ kind }) => kind === 'sound').map((one) => <Sound key={one.file} player={player} track={one} />)}
    </section>
  )
}

/** Has the player lead an element for as long as it is there. */
function useAttached(player: Player, track: Track): (element: HTMLMediaElement | null) => (() => void) | undefined {
  return useCallback((element: HTMLMediaElement | null) => (element ? player.attach(element, track) : undefined), [player, track])
}

function Picture({ player, track, on }: { player: Player; track: Track; on: boolean }) {
  // Its sound is an element of its own, and who speaks is written below.
  return <video ref={useAttached(player, track)} src={player.address(track.file)} className={on ? '' : 'away'} data-file={track.file} muted playsInline preload="auto" tabIndex={-1} aria-hidden="true" />
}

function Sound({ player, track }: { player: Player; track: Track }) {
  // eslint-disable-next-line jsx-a11y/media-has-caption -- nobody has written down what was said; who says it is told
  return <audio ref={useAttached(player, track)} src={player.address(track.file)} preload="auto" data-file={track.file} />
}
