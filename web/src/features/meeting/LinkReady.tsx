import type { Meeting } from '@/api'
import { useLang, useT } from '@/i18n'
import { shortMoment } from '@/i18n/stamps'
import { CalendarButton } from './CalendarButton'
import { LinkToCopy } from './LinkToCopy'
import type { Made } from './making'
import { PINToGive } from './PINToGive'

/** A link that is ready to leave: its address, and apart from it the PIN. */
export function LinkReady({ meeting, made, onDone }: { meeting: Meeting | undefined; made: Made; onDone: () => void }) {
  const t = useT()
  const lang = useLang()
  const until = shortMoment(new Date(made.link.expires_at), lang)
  const from = made.link.valid_from
  return (
    <div className="stack">
      <p>{from ? t('links.ready.from', { from: shortMoment(new Date(from), lang), date: until }) : t('links.ready.says', { date: until })}</p>
      {made.pin ? <PINToGive pin={made.pin} /> : null}
      <LinkToCopy url={made.url} hint={t('links.ready.hint')} onDone={onDone}>
        {meeting ? <CalendarButton meeting={meeting} address={made.url} /> : null}
      </LinkToCopy>
    </div>
  )
}
