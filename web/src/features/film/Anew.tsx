import { Clapperboard } from 'lucide-react'
import { useState } from 'react'
import { agent, type Film, type FilmDraft } from '@/api'
import { ErrorNote } from '@/features/frame'
import { useT } from '@/i18n'
import { announce, Button } from '@/ui'
import { Confirm } from '@/ui/overlays'
import { soundAlone, type Watched } from './told'

interface Props {
  one: Watched
  film: Film
  changed: () => Promise<void>
}

/** The film in another layout or format, as a host chooses. */
export function Anew({ one, film, changed }: Props) {
  const t = useT()
  const [asking, setAsking] = useState(false)
  const [choice, setChoice] = useState<FilmDraft>({ layout: film.layout, format: film.format })
  const [error, setError] = useState<unknown>(null)
  const act = async () => {
    setError(null)
    try {
      const { state } = await agent.chooseFilm(one.meeting, one.id, choice)
      if (state === 'queued') announce(t('film.queued'))
      await changed()
    } catch (problem) {
      setError(problem)
    }
  }
  const ask = () => {
    setChoice({ layout: film.layout, format: film.format })
    setAsking(true)
  }
  return (
    <>
      {error ? <ErrorNote error={error} /> : null}
      <Button icon={<Clapperboard aria-hidden="true" />} onClick={ask}>{t('film.anew')}</Button>
      <Confirm open={asking} onClose={() => setAsking(false)} cancel={t('common.cancel')} act={t('film.anew.act')} kind="primary" title={t('film.anew.ask')} onAct={act}>
        {film.made && soundAlone(film.made) ? null : <Choices of="layout" all={layouts} chosen={choice.layout} onChoose={(layout) => setChoice({ ...choice, layout })} />}
        <Choices of="format" all={formats} chosen={choice.format} onChoose={(format) => setChoice({ ...choice, format })} />
        <p>{t('film.anew.effect')}</p>
      </Confirm>
    </>
  )
}

const layouts: readonly FilmDraft['layout'][] = ['grid', 'speaker']
const formats: readonly FilmDraft['format'][] = ['webm', 'mp4']

interface ChoicesProps<T extends string> {
  of: 'layout' | 'format'
  all: readonly T[]
  chosen: T
  onChoose: (one: T) => void
}

function Choices<T extends string>({ of, all, chosen, onChoose }: ChoicesProps<T>) {
  const t = useT()
  return (
    <fieldset className="stack-s film-choices">
      <legend>{t(`film.${of}`)}</legend>
      {all.map((one) => <label key={one} className="radio"><input type="radio" name={of} checked={chosen === one} onChange={() => onChoose(one)} />{t(`film.${of}.${one}`)}</label>)}
    </fieldset>
  )
}
