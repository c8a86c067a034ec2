import { Check, Copy } from 'lucide-react'
import { useState } from 'react'
import type { KeptRecording } from '@/api'
import { useLang, useT } from '@/i18n'
import { sized } from '@/i18n/sizes'
import { announce, Button } from '@/ui'
import { lies } from './told'

/** Each part: how large it is, where it lies, and its checksum. */
export function Files({ one }: { one: KeptRecording }) {
  const t = useT()
  const lang = useLang()
  const [copied, setCopied] = useState(0)
  const copy = (part: number, sum: string) => {
    void navigator.clipboard.writeText(sum).then(() => {
      setCopied(part)
      announce(t('recs.files.copied'))
    }, () => undefined) // where the clipboard is closed to us it can still be selected
  }
  return (
    <details>
      <summary>{t('recs.files')}</summary>
      <div className="stack-s">
        <ul className="recs-files">
          {one.parts.map(({ number, bytes, stored, sha256, broken_off: brokenOff }) => (
            <li key={number}>
              <span>{t('recs.files.part', { n: number })}</span> <span className="num muted">{sized(bytes, lang)}</span> <span className="muted">{t(lies[stored])}</span>{brokenOff ? <>{' '}<strong>{t('recs.files.broken')}</strong></> : null}
              {sha256 ? (
                <span className="sum">
                  <code dir="ltr">{sha256}</code>
                  <Button kind="quiet" icon={copied === number ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />} aria-label={t('recs.files.copy', { n: number })} onClick={() => copy(number, sha256)} />
                </span>
              ) : <span className="sum muted">{t('recs.files.nosum')}</span>}
            </li>
          ))}
        </ul>
        <p className="sm muted">{t('recs.files.why')}</p>
      </div>
    </details>
  )
}
