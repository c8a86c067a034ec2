import { MessageSquare } from 'lucide-react'
import type { Knock } from '@/api'
import { Lines, Writer } from '@/features/thread'
import { useT } from '@/i18n'
import { Button } from '@/ui'

interface Props {
  knock: Knock
  open: boolean
  tab: 0 | -1
  toggle: () => void
  write: (knock: Knock, text: string) => Promise<void>
}

/** Closed it shows the last line; open all of them, and a field. */
export function Thread({ knock, open, tab, toggle, write }: Props) {
  const t = useT()
  const last = knock.messages.at(-1)
  if (!open && last) {
    return (
      <Button kind="quiet" tabIndex={tab} className="lastline" aria-expanded={false} onClick={toggle} icon={<MessageSquare aria-hidden="true" />}>
        <span className="vh">{t('lobbyp.thread')} : </span>
        <span>{last.by_host ? <b>{t('lobbyp.you')} : </b> : null}<bdi>{last.text}</bdi></span>
      </Button>
    )
  }
  return (
    <div className="thread">
      <Lines messages={knock.messages} />
      <Writer label={t('lobbyp.writeto', { name: knock.name })} send={(text) => write(knock, text)} keep={knock.id} onEscape={toggle} />
    </div>
  )
}
