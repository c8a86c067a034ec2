import type { FilmChapter } from '@/api'
import { useT } from '@/i18n'
import { useStore } from '@/ui'
import type { Playback } from './playback'
import { chapterAt, clock } from './told'

/** The chapters, as ways to go there; the one that is shown is told. */
export function Chapters({ chapters, playback }: { chapters: readonly FilmChapter[]; playback: Playback }) {
  const t = useT()
  const now = chapterAt(chapters, useStore(playback.playing).time)
  return (
    <nav className="card film-chapters" aria-labelledby="film-chapters">
      <h2 id="film-chapters">{t('film.chapters')}</h2>
      <ol>
        {chapters.map(({ at, title }, i) => (
          <li key={at}>
            <button type="button" aria-current={i === now ? 'true' : undefined} onClick={() => playback.seek(at)}>
              <span className="num" dir="ltr">{clock(at)}</span><bdi>{title}</bdi>
            </button>
          </li>
        ))}
      </ol>
    </nav>
  )
}
