// Files on their way, at the end of the conversation: how far, why not, and how to give one up.
import { CircleAlert, RotateCcw, X } from 'lucide-react'
import { isProblem } from '@/api'
import type { Files, Upload } from '@/call/live'
import { useLang, useT } from '@/i18n'
import { Button, useStore } from '@/ui'
import { sized } from '@/i18n/sizes'

export function Uploads({ files }: { files: Files }) {
  const { uploads, error } = useStore(files.state)
  const t = useT()
  const why = useWhy()
  return (
    <>
      {uploads.length > 0 ? <ul className="uploads" aria-label={t('file.uploads')}>{uploads.map((upload) => <Line key={upload.id} upload={upload} files={files} />)}</ul> : null}
      {error ? (
        <div className="note danger" role="alert">
          <CircleAlert aria-hidden="true" />
          <span>{why(error, 'file.why.notgot')}</span>
          <Button kind="quiet" aria-label={t('common.close')} icon={<X aria-hidden="true" />} onClick={files.dismiss} />
        </div>
      ) : null}
    </>
  )
}

function Line({ upload, files }: { upload: Upload; files: Files }) {
  const t = useT()
  const lang = useLang()
  const why = useWhy()
  const failed = upload.state === 'failed'
  return (
    <li className={failed ? 'failed' : ''}>
      <p className="what"><bdi>{upload.name}</bdi><small className="num">{sized(upload.size, lang)}</small></p>
      <div className="acts">
        {failed && mayRepeat(upload.error) ? <Button kind="quiet" icon={<RotateCcw aria-hidden="true" />} aria-label={t('file.again.name', { name: upload.name })} onClick={() => files.again(upload.id)} /> : null}
        <Button kind="quiet" icon={<X aria-hidden="true" />} aria-label={t(failed ? 'file.dismiss.name' : 'file.cancel.name', { name: upload.name })} onClick={() => files.cancel(upload.id)} />
      </div>
      {failed
        ? <p className="why" role="alert">{why(upload.error, 'file.why.notsent')}</p>
        : <progress aria-label={t('file.progress', { name: upload.name })} max={Math.max(upload.size, 1)} value={upload.sent} />}
    </li>
  )
}

/** What would be refused again is not offered. */
const mayRepeat = (error: unknown) => !isProblem(error, 'file-too-large', 'invalid', 'profile-refuses', 'too-many-files')

/** Why a file did not go or come, in words. */
function useWhy(): (error: unknown, otherwise: 'file.why.notsent' | 'file.why.notgot') => string {
  const t = useT()
  const lang = useLang()
  return (error, otherwise) => {
    if (isProblem(error, 'file-too-large')) return t('file.why.large', { size: sized(Number(error.document['limit'] ?? 0), lang) })
    if (isProblem(error, 'too-many-files')) return t('file.why.many')
    if (isProblem(error, 'files-full')) return t('file.why.full')
    if (isProblem(error, 'no-room-for-files')) return t('file.why.noroom')
    if (isProblem(error, 'forbidden', 'profile-refuses')) return t('file.why.closed')
    if (isProblem(error, 'too-many')) return t('file.why.often')
    if (isProblem(error, 'not-found')) return t('file.why.gone')
    if (isProblem(error, 'invalid')) return t(error.fields['size'] ? 'file.why.empty' : error.fields['to'] ? 'file.why.nobody' : 'file.why.name')
    return t(otherwise)
  }
}
