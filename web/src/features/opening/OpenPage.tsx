// A recording is opened here, in the browser: chosen, verified, opened with the archive's key, played. The key goes to the
// worker and to nobody else; leaving the page ends the worker, and with it all that was in it.
import { useEffect, useRef, useState } from 'react'
import { Frame } from '@/features/frame'
import { useT, Words } from '@/i18n'
import { announce, Button, Heading, useStepFocus, useTitle } from '@/ui'
import { Choose, type Chosen } from './Choose'
import { Engine } from './engine'
import { Found } from './Found'
import { OpeningError, type Failure, type Made, type Opened, type Report } from './messages'
import { Playback } from './Playback'
import { mostInMemory, namedBy } from './source'
import { verdictOf } from './verdict'
import './opening.css'

type Stage =
  | { is: 'choose'; failure: Failure | null }
  | { is: 'verify'; share: number; taking: boolean }
  | { is: 'found'; report: Report; bytes: number; failure: Failure | null }
  | { is: 'open'; share: number }
  | { is: 'saved'; folder: string; opened: Opened }
  | { is: 'play'; report: Report; opened: Opened; files: Made[] }

const failureOf = (error: unknown): Failure => (error instanceof OpeningError ? error.failure : { code: 'failed', detail: error instanceof Error ? error.message : String(error) })

export function OpenPage() {
  const t = useT()
  const [named] = useState(() => namedBy(location.search))
  const [stage, setStage] = useState<Stage>({ is: 'choose', failure: null })
  const engine = useEngine()
  const cancelling = useRef(new AbortController())
  const title = t('opening.title')
  useTitle(title)
  const failed = 'failure' in stage && stage.failure !== null
  useStepFocus(`${stage.is} ${failed}`, () => headingOf(failed))

  const cancel = () => {
    cancelling.current.abort()
    cancelling.current = new AbortController()
    engine.renew()
    setStage({ is: 'choose', failure: null })
  }
  const share = (is: 'verify' | 'open', taking = false) => (value: number) => setStage((now) => (now.is === is ? { is, share: value, taking } : now))

  const verify = async (choose: (progress: (share: number) => void, signal: AbortSignal) => Promise<Chosen>) => {
    const { signal } = cancelling.current
    setStage({ is: 'verify', share: 0, taking: named !== null })
    try {
      const { parts, nodeKey } = await choose(share('verify', true), signal)
      setStage({ is: 'verify', share: 0, taking: false })
      const report = await engine.get().verify(parts, nodeKey, share('verify'))
      if (signal.aborted) return
      setStage({ is: 'found', report, failure: null, bytes: parts.reduce((sum, { file }) => sum + file.size, 0) })
      const { id, n, part } = verdictOf(report)
      announce(t(id, { n, part }))
    } catch (error) {
      if (!signal.aborted) setStage({ is: 'choose', failure: failureOf(error) })
    }
  }
  const open = async (found: { report: Report; bytes: number }, keys: Blob, into: FileSystemDirectoryHandle | null) => {
    const { signal } = cancelling.current
    setStage({ is: 'open', share: 0 })
    try {
      const { opened, files } = await engine.get().open(keys, { damaged: found.report.findings.length > 0, into, most: most() }, share('open'))
      if (signal.aborted) return
      // What the worker knew is not needed any more, the key least of all.
      engine.renew()
      setStage(into ? { is: 'saved', opened, folder: into.name } : { is: 'play', report: found.report, opened, files })
      announce(t('opening.done'))
    } catch (error) {
      if (!signal.aborted) setStage({ is: 'found', ...found, failure: failureOf(error) })
    }
  }

  return (
    <Frame subtitle={t('frame.agents')}>
      <main id="main" className={stage.is === 'play' ? 'opening wide' : 'opening'}>
        <div className="stack-s">
          {named ? <p className="sm"><a href="/recordings">{t('recs.title')}</a></p> : null}
          <Heading>{title}</Heading>
          {stage.is === 'play' ? null : <p className="muted"><Words id="opening.body" values={{ command: <code dir="ltr" className="opening-command">aparte record open</code> }} /></p>}
        </div>
        {stage.is === 'choose' ? <Choose named={named} failure={stage.failure} onChosen={(choose) => void verify(choose)} /> : null}
        {stage.is === 'verify' ? <Working said={t(stage.taking ? 'opening.taking' : 'opening.verifying')} share={stage.share} onCancel={cancel} /> : null}
        {stage.is === 'found' ? <Found report={stage.report} failure={stage.failure} tooLarge={stage.bytes > most()} onOpen={(keys, into) => void open(stage, keys, into)} onAgain={cancel} /> : null}
        {stage.is === 'open' ? <Working said={t('opening.opening')} share={stage.share} onCancel={cancel} /> : null}
        {stage.is === 'saved' ? <Saved folder={stage.folder} files={stage.opened.index.files.length} onAgain={cancel} /> : null}
        {stage.is === 'play' ? <Playback opened={stage.opened} files={stage.files} report={stage.report} /> : null}
      </main>
    </Frame>
  )
}

/** Of the step that is shown: after a failure where the key is given again; the page's own where what is opened is chosen. */
function headingOf(failed: boolean): HTMLElement | null {
  const find = (of: string) => document.querySelector<HTMLElement>(of)
  return (failed ? find('[data-step="key"]') : null) ?? find('[data-step]') ?? find('h1')
}

const most = () => mostInMemory((navigator as { deviceMemory?: number }).deviceMemory)

/** One worker at a time, from the beginning: what it needs of the network is there before any key is. */
function useEngine(): { get: () => Engine; renew: () => void } {
  const engine = useRef<Engine | null>(null)
  useEffect(() => {
    engine.current ??= new Engine()
    const end = () => {
      engine.current?.end()
      engine.current = null
    }
    addEventListener('pagehide', end)
    return () => {
      removeEventListener('pagehide', end)
      end()
    }
  }, [])
  return {
    get: () => (engine.current ??= new Engine()),
    renew: () => {
      engine.current?.end()
      engine.current = new Engine()
    },
  }
}

function Working({ said, share, onCancel }: { said: string; share: number; onCancel: () => void }) {
  const t = useT()
  const percent = Math.floor(share * 100)
  const before = useRef('')
  useEffect(() => {
    // What it began with was read as the heading that has the focus.
    if (before.current !== '' && before.current !== said) announce(said)
    before.current = said
  }, [said])
  return (
    <section className="card opening-card">
      <h2 tabIndex={-1} data-step="working">{said}</h2>
      <div className="opening-progress">
        <progress max={100} value={percent} aria-label={said} />
        <span className="num">{t('hear.percent', { n: percent })}</span>
      </div>
      <div><Button onClick={onCancel}>{t('common.cancel')}</Button></div>
    </section>
  )
}

function Saved({ folder, files, onAgain }: { folder: string; files: number; onAgain: () => void }) {
  const t = useT()
  return (
    <section className="card opening-card">
      <h2 tabIndex={-1} data-step="saved">{t('opening.saved')}</h2>
      <p>{t('opening.saved.where', { n: files, folder })}</p>
      <p className="note warn">{t('opening.plain')}</p>
      <div><Button onClick={onAgain}>{t('opening.again')}</Button></div>
    </section>
  )
}
