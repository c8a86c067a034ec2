// What happened, in order; each leads there.
import { useId, useState } from 'react'
import { useT, Words } from '@/i18n'
import { useStore } from '@/ui'
import type { Player } from './player'
import { clocked } from './source'
import type { Moment } from './timeline'

export function Moments({ player, names }: { player: Player; names: ReadonlyMap<string, string> }) {
  const t = useT()
  const id = useId()
  const [spoken, setSpoken] = useState(true)
  const all = player.timeline.moments.filter(({ kind }) => spoken || kind !== 'spoke')
  return (
    <section className="card opening-side" aria-labelledby={id}>
      <h2 id={id}>{t('opening.moments')}</h2>
      <label className="opening-check"><input type="checkbox" checked={spoken} onChange={(event) => setSpoken(event.target.checked)} />{t('opening.moments.spoken')}</label>
      {all.length > 0 ? <List all={all} player={player} names={names} /> : <p className="muted sm">{t('opening.moments.none')}</p>}
    </section>
  )
}

function List({ all, player, names }: { all: readonly Moment[]; player: Player; names: ReadonlyMap<string, string> }) {
  const t = useT()
  const at = useStore(player.at)
  const now = all.findLastIndex((one) => one.at <= at)
  return (
    <ol className="opening-moments" data-testid="moments">
      {all.map((one, i) => (
        <li key={`${i} ${one.at}`}>
          <button type="button" aria-current={i === now ? 'step' : undefined} onClick={() => player.seek(one.at)}>
            <span className="num" dir="ltr">{clocked(one.at)}</span>
            <span>{one.identity ? <Words id={`opening.moment.${one.kind}`} values={{ name: <bdi>{names.get(one.identity) ?? one.identity}</bdi> }} /> : t(`opening.moment.${one.kind}`, { name: '' })}{one.text !== undefined ? <bdi className="opening-wrote">{one.text}</bdi> : null}{one.until !== undefined ? <span className="muted"> {t('opening.moment.lasts', { time: clocked(one.until - one.at) })}</span> : null}</span>
          </button>
        </li>
      ))}
    </ol>
  )
}
