// A file in the conversation: what it is, who may take care, and the ways to keep or delete it. It is never shown here.
import { Download, FileText, FileX, FileWarning, Trash2 } from 'lucide-react'
import { useState } from 'react'
import type { CallFile } from '@/api'
import type { Files } from '@/call/live'
import { useLang, useT, Words } from '@/i18n'
import { Button, useStore } from '@/ui'
import { Confirm } from '@/ui/overlays'
import { save } from './save'
import { sized } from '@/i18n/sizes'

interface Props {
  file: CallFile
  files: Files
  /** Whoever looks has sent it. */
  own: boolean
  /** May delete it. */
  deletes: boolean
}

export function FileLine({ file, files, own, deletes }: Props) {
  const t = useT()
  const lang = useLang()
  const [asked, setAsked] = useState(false)
  const { fetching } = useStore(files.state)
  if (file.deleted) return <p className="text file gone"><FileX aria-hidden="true" /><span>{t('file.deleted')}</span></p>
  const keep = () => void files.fetch(file).then((content) => content && save(content, file.name))
  const kind = file.kind === '' ? t('file.nokind') : file.kind.toUpperCase()
  return (
    <div className="text file">
      {file.risky && !own ? <FileWarning className="risky" aria-hidden="true" /> : <FileText aria-hidden="true" />}
      <p className="what"><b><bdi>{file.name}</bdi></b><small><span>{kind}</span> · <span className="num">{sized(file.size, lang)}</span></small></p>
      {own ? null : <Care file={file} />}
      <div className="acts">
        <Button kind="quiet" busy={fetching.includes(file.id)} icon={<Download aria-hidden="true" />} onClick={keep} aria-label={t('file.save.name', { name: file.name })}>{t('file.save')}</Button>
        {deletes ? <Button kind="quiet" icon={<Trash2 aria-hidden="true" />} aria-label={t('file.delete.name', { name: file.name })} onClick={() => setAsked(true)} /> : null}
      </div>
      <Confirm
        open={asked} onClose={() => setAsked(false)} cancel={t('common.cancel')} act={t('file.delete')} onAct={() => files.remove(file)}
        title={<Words id="file.delete.ask" values={{ name: <bdi>{file.name}</bdi> }} />}
      >
        <p>{t('file.delete.effect')}</p>
      </Confirm>
    </div>
  )
}

/** One quiet line, where there is something to mind before opening it. */
function Care({ file }: { file: CallFile }) {
  const t = useT()
  const said = [
    ...(file.risky ? [t('file.risky', { kind: file.kind })] : file.outside ? [t('file.outside')] : []),
    ...(file.suspicious ? [t('file.suspicious')] : []),
  ]
  return said.length > 0 ? <p className={`care ${file.risky ? 'risky' : ''}`}>{said.join(' ')}</p> : null
}
