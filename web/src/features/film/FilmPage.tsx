// A recording that is watched where it is kept: the film, or why there is none yet. It is for whoever gets the recording, also
// for a colleague who may see nothing else of its meeting.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { agent, isProblem } from '@/api'
import { ErrorNote, Pending } from '@/features/frame'
import { AgentFrame, type AgentProps } from '@/features/meeting'
import { useLang, useT } from '@/i18n'
import { shortMoment } from '@/i18n/stamps'
import { Heading, useTitle } from '@/ui'
import { Chapters } from './Chapters'
import { Playback } from './playback'
import { Player } from './Player'
import { Save } from './Save'
import { States } from './States'
import { goesOn, screenOf, type Watched } from './told'
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
  return (
    <>
      <div className="stack-s">
        <p className="sm"><a href="/recordings">{t('film.all')}</a></p>
        <Heading><bdi>{one.title}</bdi></Heading>
        <p className="muted"><time dateTime={one.from}>{shortMoment(new Date(one.from), lang)}</time> · <bdi>{one.purpose}</bdi></p>
      </div>
      {screen === 'done' ? <Shown one={one} /> : <States screen={screen} one={one} again={async () => {
        await agent.filmAgain(one.meeting, one.id)
        await queries.invalidateQueries({ queryKey: ['recordings'] })
      }} />}
      <section className="card" aria-labelledby="film-about">
        <h2 id="film-about">{t('film.about')}</h2>
        <dl className="film-facts">
          <dt>{t('film.people')}</dt>
          <dd>{one.people.length > 0 ? <ul className="film-names">{one.people.map(({ name, withdrawn }, i) => <li key={`${i} ${name}`}><bdi>{name}</bdi>{withdrawn ? <small className="muted"> {t('film.withdrawn')}</small> : null}</li>)}</ul> : t('film.nobody')}</dd>
          {one.expires_at ? <><dt>{t('film.kept')}</dt><dd><time dateTime={one.expires_at}>{shortMoment(new Date(one.expires_at), lang)}</time></dd></> : null}
          <dt>{t('film.asked')}</dt>
          <dd><bdi>{one.by}</bdi></dd>
        </dl>
        {screen === 'done' ? <Save one={one} /> : null}
      </section>
    </>
  )
}

/** The film beside its chapters. */
function Shown({ one }: { one: Watched }) {
  const { data: chapters = [], error } = useQuery({ queryKey: ['chapters', one.id], queryFn: () => agent.filmChapters(one.meeting, one.id), staleTime: Infinity })
  const [playback] = useState(() => new Playback(one.film?.length ?? 0))
  return (
    <div className="film-shown">
      <Player one={one} chapters={chapters} playback={playback} />
      {error ? <ErrorNote error={error} /> : <Chapters chapters={chapters} playback={playback} />}
    </div>
  )
}
