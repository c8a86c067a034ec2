// How loud each person is.
import { Volume2 } from 'lucide-react'
import { useId } from 'react'
import { useT } from '@/i18n'
import { useStore } from '@/ui'
import type { Player } from './player'

export function Voices({ player }: { player: Player }) {
  const t = useT()
  const id = useId()
  const volumes = useStore(player.volumes)
  return (
    <section className="card opening-side" aria-labelledby={id}>
      <h2 id={id}>{t('opening.people')}</h2>
      <ul className="opening-voices">
        {player.timeline.people.map(({ identity, name }, i) => {
          const percent = Math.round((volumes.get(identity) ?? 1) * 100)
          return (
            <li key={identity}>
              <label htmlFor={`${id}-${i}`}><bdi>{name}</bdi></label>
              <span className="opening-volume">
                <Volume2 aria-hidden="true" />
                <input id={`${id}-${i}`} type="range" min={0} max={100} step={5} value={percent} aria-valuetext={t('hear.percent', { n: percent })} onChange={(event) => player.setVolume(identity, Number(event.target.value) / 100)} />
              </span>
            </li>
          )
        })}
      </ul>
    </section>
  )
}
