// A recording that is watched where it is kept: the film, or why there is none yet. It is for whoever gets the recording, also
// for a colleague who may see nothing else of its meeting.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { agent, isProblem, type MadeFilm } from '@/api'
import { ErrorNote, Pending } from '@/features/frame'
import { AgentFrame, type AgentProps } from '@/features/meeting'
import { useLang, useT } from '@/i18n'
import { shortMoment } from '@/i18n/stamps'
import { announce, Heading, useStepFocus, useTitle } from '@/ui'
import { Anew } from './Anew'
import { Chapters } from './Chapters'
import { Playback } from './playback'
import { Player } from './Player'
import { Save } from './Save'
import { States } from './States'
import { fileOf, goesOn, mayChoose, screenOf, soundAlone, type Watched } from './told'
import './film.css'

interface Props extends AgentProps {
  meetingID: string
  recordingID: string
}

const refreshEvery = 2_000

export function FilmPage({ meetingID, recordingID, ...frame }: Props) {
  const t = useT()
  const { data, error, refetch } = useQuery({
    queryKey: ['recordings', 'one', recordingID],
    queryFn: async (): Promise<Watched | null> => {
      const { recordings } = await agent.findRecordings(new URLSearchParams({ recording: recordingID }))
      const found = recordings.find(({ meeting }) => meeting === meetingID)
      return found ? { ...found.recording, meeting: found.meeting, title: found.title } : null
    },
    refetchInterval: ({ state }) => (state.data && goesOn(screenOf(state.data)) ? refreshEvery : false),
  })
  useTitle(data ? t('film.title.of', { title: data.title }) : t('film.title'))
  return (
    <AgentFrame {...frame}>
      <main id="main" className="meetings film">
        {data ? <Of one={data} /> : data === null ? (
          <><Heading>{t('film.gone')}</Heading><p><a href="/recordings">{t('film.all')}</a></p></>
        ) : <Pending title={t('film.title')} error={error} {...(isProblem(error, 'not-found', 'forbidden') ? {} : { retry: () => void refetch() })} />}
      </main>
    </AgentFrame>
  )
}

function Of({ one }: { one: Watched }) {
  const t = useT()
  const lang = useLang()
  const queries = useQueryClient()
  const screen = screenOf(one)
  const made = one.film?.made
  const changed = async () => queries.invalidateQueries({ queryKey: ['recordings'] })
  useTold(made?.take)
  // When the film is there, its player is what comes next after the page's heading.
  useStepFocus(screen, () => document.getElementById('film-state') ?? document.querySelector<HTMLElement>('h1'))
  return (
    <>
      <div className="stack-s">
        <p className="sm"><a href="/recordings">{t('film.all')}</a></p>
        <Heading><bdi>{one.title}</bdi></Heading>
        <p className="muted"><time dateTime={one.from}>{shortMoment(new Date(one.from), lang)}</time> · <bdi>{one.purpose}</bdi></p>
      </div>
      {made ? <Shown key={made.take} one={one} made={made} /> : null}
      {screen === 'done' ? null : <States screen={screen} one={one} again={async () => {
        await agent.filmAgain(one.meeting, one.id)
        await changed()
      }} />}
      <section className="card" aria-labelledby="film-about">
        <h2 id="film-about">{t('film.about')}</h2>
        <dl className="film-facts">
          <dt>{t('film.people')}</dt>
          <dd>{one.people.length > 0 ? <ul className="film-names">{one.people.map(({ name, withdrawn }, i) => <li key={`${i} ${name}`}><bdi>{name}</bdi>{withdrawn ? <small className="muted"> {t('film.withdrawn')}</small> : null}</li>)}</ul> : t('film.nobody')}</dd>
          {one.expires_at ? <><dt>{t('film.kept')}</dt><dd><time dateTime={one.expires_at}>{shortMoment(new Date(one.expires_at), lang)}</time></dd></> : null}
          {made ? <><dt>{t('film.kind')}</dt><dd>{soundAlone(made) ? null : `${t(`film.layout.${made.layout}`)} · `}<bdi>{fileOf(made)}</bdi></dd></> : null}
          <dt>{t('film.asked')}</dt>
          <dd><bdi>{one.by}</bdi></dd>
        </dl>
        <div className="row">
          {made ? <Save one={one} made={made} /> : null}
          {one.film && mayChoose(one) ? <Anew one={one} film={one.film} changed={changed} /> : null}
        </div>
      </section>
    </>
  )
}

/** Says so when another film takes the place of the one that is shown. */
function useTold(take: number | undefined) {
  const t = useT()
  const before = useRef(take)
  useEffect(() => {
    if (before.current !== undefined && take !== before.current) announce(t('film.anew.there'))
    before.current = take
  }, [take, t])
}

/** The film beside its chapters. */
function Shown({ one, made }: { one: Watched; made: MadeFilm }) {
  const { data: chapters = [], error } = useQuery({ queryKey: ['chapters', one.id, made.take], queryFn: () => agent.filmChapters(one.meeting, one.id), staleTime: Infinity })
  const [playback] = useState(() => new Playback(made.length))
  return (
    <div className="film-shown">
      <Player one={one} made={made} chapters={chapters} playback={playback} />
      {error ? <ErrorNote error={error} /> : <Chapters chapters={chapters} playback={playback} />}
    </div>
  )
}
