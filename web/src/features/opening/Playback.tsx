// An opened recording is played: all pictures and sounds together, with what happened as a list.
import { Gauge, Pause, Play, Rewind, FastForward } from 'lucide-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useLang, useT } from '@/i18n'
import { exactMoment } from '@/i18n/stamps'
import { Button, SelectField, useStore } from '@/ui'
import type { Made, Opened, Report } from './messages'
import { Moments } from './Moments'
import { Player } from './player'
import { Saving } from './Saving'
import { clocked } from './source'
import { timelineOf } from './timeline'
import { verdictOf } from './verdict'
import { Stage } from './Stage'
import { Voices } from './Voices'

interface Props { opened: Opened; files: Made[]; report: Report }

export function Playback({ opened, files, report }: Props) {
  const t = useT()
  const timeline = useMemo(() => timelineOf(opened.index), [opened])
  const [player] = useState(() => new Player(timeline, new Map(files.map(({ name, media }) => [name, media]))))
  useEffect(() => player.start(), [player])
  useKeys(player)
  const names = useMemo(() => new Map(opened.index.people.map(({ identity, name }) => [identity, name])), [opened])
  return (
    <div className="opening-playback">
      <div className="opening-watch">
        <Told opened={opened} report={report} />
        {opened.missing > 0 || opened.index.incomplete ? <p className="note warn">{t('opening.incomplete')}</p> : null}
        <Stage player={player} names={names} />
        <Controls player={player} />
        {opened.index.skipped?.length ? (
          <ul className="sm muted opening-skipped">
            {opened.index.skipped.map(({ identity, codec, track }) => <li key={`${track} ${codec}`}>{t('opening.skipped', { name: names.get(identity) ?? identity, codec })}</li>)}
          </ul>
        ) : null}
      </div>
      <div className="opening-beside">
        <Moments player={player} names={names} />
        <Voices player={player} />
        <Saving files={files} index={opened.index} />
      </div>
    </div>
  )
}

/** When it was, and what verifying said: whoever watches should not have to remember. */
function Told({ opened, report }: { opened: Opened; report: Report }) {
  const t = useT()
  const lang = useLang()
  const verdict = verdictOf(report)
  return (
    <h2 className="opening-told" tabIndex={-1} data-step="play">
      <time dateTime={opened.index.began}>{exactMoment(new Date(opened.index.began), lang)}</time>
      <span className={`chip ${verdict.tone}`}>{t(verdict.id, { n: verdict.n, part: verdict.part })}</span>
    </h2>
  )
}

const rates = [0.5, 0.75, 1, 1.25, 1.5, 2]
const step = 10

function Controls({ player }: { player: Player }) {
  const t = useT()
  const at = useStore(player.at)
  const playing = useStore(player.playing)
  const rate = useStore(player.rate)
  const { duration } = player.timeline
  const told = t('opening.at', { at: clocked(at), of: clocked(duration) })
  return (
    <div className="opening-controls" role="group" aria-label={t('opening.controls')}>
      <input
        type="range" className="opening-seek" min={0} max={Math.max(Math.ceil(duration), 1)} step={1} value={Math.round(at)} dir="ltr"
        aria-label={t('opening.seek')} aria-valuetext={told} onChange={(event) => player.seek(Number(event.target.value))}
      />
      <div className="row">
        <Button kind="primary" icon={playing ? <Pause aria-hidden="true" /> : <Play aria-hidden="true" />} onClick={() => player.toggle()}>{t(playing ? 'opening.pause' : 'opening.play')}</Button>
        {/* Time goes from left to right in every language, as on the line above. */}
        <span className="row" dir="ltr">
          <Button aria-label={t('opening.rewind', { n: step })} icon={<Rewind aria-hidden="true" />} onClick={() => player.seek(at - step)} />
          <Button aria-label={t('opening.forward', { n: step })} icon={<FastForward aria-hidden="true" />} onClick={() => player.seek(at + step)} />
        </span>
        <span className="num" dir="ltr">{clocked(at)} / {clocked(duration)}</span>
        <SelectField className="opening-rate" label={<><Gauge aria-hidden="true" /><span className="vh">{t('opening.rate')}</span></>} value={rate} onChange={(event) => player.setRate(Number(event.target.value))}>
          {rates.map((one) => <option key={one} value={one}>{t('opening.times', { n: one })}</option>)}
        </SelectField>
      </div>
    </div>
  )
}

/** As players everywhere: space or K, J and L, the arrows. What is typed into a field stays there. */
function useKeys(player: Player): void {
  const acts = useRef<Readonly<Record<string, () => void>>>({})
  useEffect(() => {
    const go = (by: number) => () => player.seek(player.at.get() + by)
    acts.current = { ' ': () => player.toggle(), k: () => player.toggle(), j: go(-step), l: go(step), ArrowLeft: go(-5), ArrowRight: go(5) }
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
      const on = event.target instanceof Element ? event.target : null
      if (on?.closest('input, select, textarea') || (event.key === ' ' && on?.closest('button, a, summary'))) return
      const act = acts.current[event.key.length === 1 ? event.key.toLowerCase() : event.key]
      if (!act) return
      event.preventDefault()
      act()
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [player])
}
