// The files, as 'aparte record export' makes them; what is saved is not encrypted.
import { Download } from 'lucide-react'
import { useId } from 'react'
import { useLang, useT } from '@/i18n'
import { sized } from '@/i18n/sizes'
import { Button } from '@/ui'
import type { Index, Made } from './messages'
import { saveFile } from './save'

export function Saving({ files, index }: { files: Made[]; index: Index }) {
  const t = useT()
  const lang = useLang()
  const id = useId()
  const names = new Map(index.people.map(({ identity, name }) => [identity, name]))
  const whose = new Map(index.files.map(({ file, identity }) => [file, names.get(identity) ?? identity]))
  // They come as they are finished; their names begin with the place in which their tracks began.
  const inOrder = files.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return (
    <section className="card opening-side" aria-labelledby={id}>
      <h2 id={id}>{t('opening.save')}</h2>
      <p className="note warn sm">{t('opening.plain')}</p>
      <details>
        <summary>{t('opening.save.files', { n: files.length })}</summary>
        <div className="stack-s">
          <ul className="opening-made">
            {inOrder.map(({ name, media }) => (
              <li key={name}>
                <span><bdi>{whose.get(name) ?? t('opening.save.index')}</bdi><small className="muted num"><bdi dir="ltr">{name}</bdi>, {sized(media.size, lang)}</small></span>
                <Button aria-label={t('opening.save.one', { name })} icon={<Download aria-hidden="true" />} onClick={() => saveFile(name, media)} />
              </li>
            ))}
          </ul>
          <div><Button icon={<Download aria-hidden="true" />} onClick={() => files.forEach(({ name, media }) => saveFile(name, media))}>{t('opening.save.all')}</Button></div>
        </div>
      </details>
    </section>
  )
}
