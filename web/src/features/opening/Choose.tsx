// What is opened: a recording of this server, or files that were taken away; and the key that tells who made it.
import { useQuery } from '@tanstack/react-query'
import { FileLock2 } from 'lucide-react'
import { Fragment, useEffect, useState } from 'react'
import type { FoundRecording, KeptRecording } from '@/api'
import { ErrorNote, Loading } from '@/features/frame'
import { useLang, useT } from '@/i18n'
import { sized } from '@/i18n/sizes'
import { shortMoment } from '@/i18n/stamps'
import { Button, Field } from '@/ui'
import type { Failure, Part } from './messages'
import { findRecording, serverKey, takeParts, type Named } from './source'
import { Trouble } from './Trouble'

export interface Chosen { parts: Part[]; nodeKey: string }
type ChosenBy = (progress: (share: number) => void, signal: AbortSignal) => Promise<Chosen>
type Verifier = 'server' | 'file' | 'none'

interface Props { named: Named | null; failure: Failure | null; onChosen: (choose: ChosenBy) => void }

export function Choose({ named, failure, onChosen }: Props) {
  const t = useT()
  const [files, setFiles] = useState<File[]>([])
  const [kept, setKept] = useState<KeptRecording | null>(null)
  const [by, setBy] = useState<Verifier>(named ? 'server' : 'file')
  const [keyFile, setKeyFile] = useState<File | null>(null)
  useDropped(named ? null : setFiles)
  const complete = (kept !== null || files.length > 0) && (by !== 'file' || keyFile !== null)
  const choose: ChosenBy = async (progress, signal) => {
    const nodeKey = by === 'server' ? await serverKey(signal) : by === 'file' && keyFile ? await keyFile.text() : ''
    if (by === 'server' && nodeKey === '') throw new Error(t('opening.node.noserver'))
    const parts = named && kept ? await takeParts(named, kept.parts, progress, signal) : files.map((file) => ({ name: file.name, file }))
    return { parts, nodeKey }
  }
  return (
    <form
      className="card opening-card"
      onSubmit={(event) => {
        event.preventDefault()
        if (complete) onChosen(choose)
      }}
    >
      {failure ? <Trouble failure={failure} /> : null}
      {named ? <FromServer named={named} onFound={setKept} /> : <FromFiles files={files} onFiles={setFiles} />}
      <fieldset className="stack-s">
        <legend>{t('opening.node')}</legend>
        <p className="sm muted">{t('opening.node.what')}</p>
        {(['server', 'file', 'none'] as const).map((one) => (
          <Fragment key={one}>
            <label className="opening-radio">
              <input type="radio" name="node" value={one} checked={by === one} onChange={() => setBy(one)} />
              <b>{t(`opening.node.${one}`)}</b>
              <small>{t(`opening.node.${one}.proves`)}</small>
            </label>
            {one === 'file' && by === 'file' ? <Field type="file" label={t('opening.node.choose')} accept=".json,.txt,.pub,application/json,text/plain" onChange={(event) => setKeyFile(event.target.files?.[0] ?? null)} /> : null}
          </Fragment>
        ))}
      </fieldset>
      <div><Button type="submit" kind="primary" disabled={!complete}>{t(named ? 'opening.take' : 'opening.verify')}</Button></div>
    </form>
  )
}

function FromServer({ named, onFound }: { named: Named; onFound: (kept: KeptRecording) => void }) {
  const t = useT()
  const lang = useLang()
  const { data, error, refetch } = useQuery({ queryKey: ['recording', named.meeting, named.recording], queryFn: async () => (await findRecording(named)) ?? null })
  useEffect(() => {
    if (data && whole(data)) onFound(data.recording)
  }, [data, onFound])
  if (error) return <ErrorNote error={error} retry={() => void refetch()} />
  if (data === undefined) return <Loading />
  if (data === null) return <p className="note danger">{t('opening.gone')}</p>
  const { recording } = data
  if (!whole(data)) return <p className="note warn">{t('opening.going')}</p>
  return (
    <div className="stack-s">
      <h2><bdi>{data.title}</bdi></h2>
      <p><time dateTime={recording.from}>{shortMoment(new Date(recording.from), lang)}</time>{' · '}<bdi>{recording.purpose}</bdi></p>
      <p className="sm muted">{t('opening.size', { size: sized(recording.parts.reduce((sum, { bytes }) => sum + bytes, 0), lang) })}</p>
    </div>
  )
}

/** It has parts, and none is still being written. */
const whole = ({ recording: { parts } }: FoundRecording) => parts.length > 0 && parts.every(({ closed }) => closed)

function FromFiles({ files, onFiles }: { files: File[]; onFiles: (files: File[]) => void }) {
  const t = useT()
  const lang = useLang()
  return (
    <div className="stack-s">
      <Field type="file" multiple accept=".tar" label={t('opening.files')} hint={t('opening.files.hint')} onChange={(event) => onFiles([...(event.target.files ?? [])])} />
      {files.length > 0 ? (
        <ul className="opening-files">
          {files.map((file) => <li key={file.name}><FileLock2 aria-hidden="true" /><bdi dir="ltr">{file.name}</bdi> <span className="muted num">{sized(file.size, lang)}</span></li>)}
        </ul>
      ) : null}
    </div>
  )
}

/** Files may be dropped anywhere on the page. */
function useDropped(onFiles: ((files: File[]) => void) | null): void {
  useEffect(() => {
    if (!onFiles) return
    const over = (event: DragEvent) => event.preventDefault()
    const drop = (event: DragEvent) => {
      event.preventDefault()
      const files = [...(event.dataTransfer?.files ?? [])].filter(({ name }) => name.endsWith('.tar'))
      if (files.length > 0) onFiles(files)
    }
    addEventListener('dragover', over)
    addEventListener('drop', drop)
    return () => {
      removeEventListener('dragover', over)
      removeEventListener('drop', drop)
    }
  }, [onFiles])
}
