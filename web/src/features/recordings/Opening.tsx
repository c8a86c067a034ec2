import { Check, Copy, KeyRound } from 'lucide-react'
import { useState } from 'react'
import { agent, type KeptRecording } from '@/api'
import { useT, Words } from '@/i18n'
import { announce, Button } from '@/ui'
import { commands } from './commands'

/** Who can open it, and how. */
export function Opening({ one }: { one: KeptRecording }) {
  const t = useT()
  const [copied, setCopied] = useState(false)
  const lines = commands(one.id)
  const copy = () => {
    void navigator.clipboard.writeText(lines).then(() => {
      setCopied(true)
      announce(t('recs.open.copied'))
    }, () => undefined) // where the clipboard is closed to us they can still be selected
  }
  return (
    <div className="stack-s">
      <p className="sm">{t('recs.sealed')}</p>
      <details>
        <summary>{t('recs.open')}</summary>
        <div className="stack-s">
          <p className="sm"><Words id="recs.open.how" values={{ key: <code>archive.key</code>, node: <code>node-key.json</code> }} /></p>
          <pre className="recs-commands" dir="ltr"><code>{lines}</code></pre>
          <div className="row">
            <Button icon={copied ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />} onClick={copy}>{t(copied ? 'recs.open.copied' : 'recs.open.copy')}</Button>
            <a className="btn secondary" href={agent.nodeKey} download="node-key.json"><KeyRound aria-hidden="true" />{t('recs.open.key')}</a>
          </div>
        </div>
      </details>
    </div>
  )
}
