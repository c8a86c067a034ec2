import { Download } from 'lucide-react'
import { useState } from 'react'
import { agent, isProblem, type MadeFilm } from '@/api'
import { take } from '@/api/taking'
import { ErrorNote } from '@/features/frame'
import { useLang, useT } from '@/i18n'
import { sized } from '@/i18n/sizes'
import { Button } from '@/ui'
import { Confirm } from '@/ui/overlays'
import type { Watched } from './told'

/** The film as a file, which nothing protects any more. */
export function Save({ one, made }: { one: Watched; made: MadeFilm }) {
  const t = useT()
  const lang = useLang()
  const [asking, setAsking] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const save = async () => {
    setError(null)
    await take(agent.filmToSave(one.meeting, one.id)).catch(setError)
  }
  return (
    <>
      {isProblem(error, 'not-found') ? <p className="note danger" role="alert">{t('film.gone')}</p> : error ? <ErrorNote error={error} /> : null}
      <Button icon={<Download aria-hidden="true" />} onClick={() => setAsking(true)}>{t('film.save', { size: sized(made.bytes, lang) })}</Button>
      <Confirm open={asking} onClose={() => setAsking(false)} cancel={t('common.cancel')} act={t('film.save.act')} kind="primary" title={t('film.save.ask')} onAct={save}>
        <p>{t('film.save.effect')}</p>
      </Confirm>
    </>
  )
}
