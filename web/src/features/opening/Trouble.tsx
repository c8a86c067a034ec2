import { CircleAlert } from 'lucide-react'
import { useT, Words } from '@/i18n'
import { Button } from '@/ui'
import type { Failure } from './messages'

const words: Readonly<Record<Failure['code'], string>> = {
  'broken-off': 'opening.trouble.brokenoff',
  gone: 'opening.gone',
  key: 'opening.trouble.key',
  'node-key': 'opening.trouble.nodekey',
  'not-for-us': 'opening.trouble.notforus',
  tampered: 'opening.trouble.tampered',
  'too-much': 'opening.trouble.toomuch',
  full: 'opening.trouble.full',
  unreadable: 'opening.trouble.unreadable',
  unwritable: 'opening.trouble.unwritable',
  there: 'opening.trouble.there',
  failed: 'opening.trouble.failed',
}

/** What went wrong, and where it helps what the program says. What may come whole the next time is tried again by the form that it stands in. */
export function Trouble({ failure }: { failure: Failure }) {
  const t = useT()
  return (
    <div className="note danger" role="alert">
      <CircleAlert aria-hidden="true" />
      <div className="stack-s">
        <p><Words id={words[failure.code]} values={{ command: <code dir="ltr" className="opening-command">aparte record open</code> }} /></p>
        {failure.keys?.length ? <p className="sm">{t('opening.trouble.notforus.keys', { n: failure.keys.length })} {failure.keys.map((one) => <code key={one} dir="ltr" className="opening-print">{one.replace(/(.{4})(?=.)/g, '$1 ')}</code>)}</p> : null}
        {failure.code === 'broken-off' ? <div><Button type="submit">{t('common.retry')}</Button></div> : null}
        {failure.code === 'failed' || failure.code === 'unreadable' ? <p className="sm" dir="ltr" lang="en">{failure.detail}</p> : null}
      </div>
    </div>
  )
}
