// The film with controls of our own: they have words in every language, are reached by keyboard alone, and show where chapters begin.
import { Captions, CaptionsOff, Maximize, Pause, Play, Volume2, VolumeX } from 'lucide-react'
import { useEffect, useRef, type KeyboardEvent, type RefObject } from 'react'
import { agent, type FilmChapter, type MadeFilm } from '@/api'
import { useT } from '@/i18n'
import { Button, useStore } from '@/ui'
import type { Playback } from './playback'
import { chapterAt, clock, jump, soundAlone, speeds, type Watched } from './told'

interface Props {
  one: Watched
  made: MadeFilm
  chapters: readonly FilmChapter[]
  playback: Playback
}

export function Player({ one, made, chapters, playback }: Props) {
  const t = useT()
  const box = useRef<HTMLElement>(null)
  const film = useRef<HTMLVideoElement>(null)
  useEffect(() => (film.current ? playback.attach(film.current) : undefined), [playback])
  const { time, length, broken, waiting } = useStore(playback.playing)
  const sound = soundAlone(made)
  // Keys do what they do in any player, unless what has the focus uses them itself.
  const press = (event: KeyboardEvent) => {
    const on = event.target as Element
    if (event.ctrlKey || event.metaKey || event.altKey || on.closest('input, select')) return
    const to = jump(event.key, time, length)
    if (to !== null) playback.seek(to)
    else if (event.key === 'k' || event.key === 'K' || (event.key === ' ' && !on.closest('button'))) playback.toggle()
    else return
    event.preventDefault()
  }
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- keys of what is within it come here
    <section ref={box} className={sound ? 'film-player sound' : 'film-player'} aria-label={t('film.player')} onKeyDown={press}>
      <div className="film-picture">
        {/* Its controls are below; a click on the picture is one more way. */}
        {/* eslint-disable-next-line jsx-a11y/media-has-caption -- of a film in which nobody speaks there are none */}
        <video ref={film} src={agent.film(one.meeting, one.id)} preload="metadata" playsInline aria-label={t(sound ? 'film.sound' : 'film.picture')} onClick={playback.toggle} data-testid="film">
          {made.captions ? <track kind="captions" src={agent.filmCaptions(one.meeting, one.id)} label={t('film.captions')} /> : null}
        </video>
        {broken ? (
          <div className="film-broken note danger" role="alert"><div className="stack-s"><p>{t('film.broken')}</p><div className="row"><Button onClick={playback.again}>{t('film.broken.again')}</Button></div></div></div>
        ) : waiting ? <p className="film-waiting">{t('film.waiting')}</p> : null}
      </div>
      <TimeLine playback={playback} chapters={chapters} />
      <Controls playback={playback} box={box} captions={made.captions} sound={sound} />
    </section>
  )
}

/** From left to right in every language, as players are. */
function TimeLine({ playback, chapters }: { playback: Playback; chapters: readonly FilmChapter[] }) {
  const t = useT()
  const { time, length } = useStore(playback.playing)
  const chapter = chapters[chapterAt(chapters, time)]
  const values = { time: clock(time), length: clock(length) }
  const press = (event: KeyboardEvent) => {
    const to = jump(event.key, time, length)
    if (to === null) return
    event.preventDefault()
    playback.seek(to)
  }
  return (
    <div className="film-line" dir="ltr">
      <span className="num" aria-hidden="true">{clock(time)}</span>
      <div className="film-track">
        <input
          type="range" min={0} max={Math.max(length, 0.1)} step="any" value={Math.min(time, length)} aria-label={t('film.time')}
          aria-valuetext={chapter ? t('film.time.in', { ...values, chapter: chapter.title }) : t('film.time.of', values)}
          onChange={(event) => playback.seek(Number(event.target.value))} onKeyDown={press}
        />
        {length > 0 ? chapters.filter(({ at }) => at > 0 && at < length).map(({ at }) => <Mark key={at} at={at / length} />) : null}
      </div>
      <span className="num" aria-hidden="true">{clock(length)}</span>
    </div>
  )
}

/** Where a chapter begins; the list beside leads there. */
function Mark({ at }: { at: number }) {
  const place = (node: HTMLElement | null) => node?.style.setProperty('--at', String(at))
  return <i ref={place} className="film-mark" aria-hidden="true" />
}

function Controls({ playback, box, captions, sound }: { playback: Playback; box: RefObject<HTMLElement | null>; captions: boolean; sound: boolean }) {
  const t = useT()
  const playing = useStore(playback.playing)
  const large = () => {
    if (document.fullscreenElement) void document.exitFullscreen().catch(() => undefined)
    else void box.current?.requestFullscreen().catch(() => undefined)
  }
  return (
    <div className="film-controls" role="group" aria-label={t('film.controls')}>
      <Button kind="primary" icon={playing.paused ? <Play aria-hidden="true" /> : <Pause aria-hidden="true" />} onClick={playback.toggle}>{t(playing.paused ? 'film.play' : 'film.pause')}</Button>
      {captions ? <Button kind="quiet" aria-pressed={playing.captions} icon={playing.captions ? <Captions aria-hidden="true" /> : <CaptionsOff aria-hidden="true" />} onClick={() => playback.caption(!playing.captions)}>{t('film.captions')}</Button> : null}
      <label className="film-speed"><span>{t('film.speed')}</span><select value={playing.speed} onChange={(event) => playback.speedUp(Number(event.target.value))}>{speeds.map((one) => <option key={one} value={one}>{t('film.speed.of', { n: one })}</option>)}</select></label>
      <Button kind="quiet" aria-pressed={playing.muted} icon={playing.muted ? <VolumeX aria-hidden="true" /> : <Volume2 aria-hidden="true" />} onClick={playback.mute}>{t('film.mute')}</Button>
      {sound ? null : <Button kind="quiet" icon={<Maximize aria-hidden="true" />} onClick={large}>{t('film.large')}</Button>}
    </div>
  )
}
