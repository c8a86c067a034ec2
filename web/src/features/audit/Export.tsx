// The trail taken away: what is filtered as a table, or the period as it is, signed.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Download, FileCheck2, Sheet } from 'lucide-react'
import { agent, isProblem, type AuditEvent, type AuditPage } from '@/api'
import { ErrorNote } from '@/features/frame'
import { download } from '@/features/meeting'
import { useLang, useT } from '@/i18n'
import { announce } from '@/ui'
import { MenuButton } from '@/ui/overlays'
import { auditFile } from './auditFile'
import { periodOf, type Filters } from './filters'

interface Props {
  post: string
  filters: Filters
  read: (post: string, filters: Filters, before: number) => Promise<AuditPage>
}

export function Export({ post, filters, read }: Props) {
  const t = useT()
  const lang = useLang()
  const name = (ending: string) => `audit-${new Date().toISOString().slice(0, 10)}.${ending}`
  const queries = useQueryClient()
  const table = useMutation({
    mutationFn: async () => {
      const all: AuditEvent[] = []
      const names: Record<string, string> = {}
      for (let before: number | undefined = 0; before !== undefined;) {
        const found: AuditPage = await read(post, filters, before)
        all.push(...found.events)
        Object.assign(names, found.names)
        before = found.next
      }
      download(name('csv'), auditFile(all, names, t, lang))
      return all.length
    },
    onSuccess: (n) => announce(t('audit.export.done', { n })),
  })
  const signed = useMutation({
    mutationFn: async () => download(name('jsonl'), await agent.exportAudit(post, periodOf(filters)), 'application/jsonl'),
    onSuccess: () => {
      // The trail tells of it.
      void queries.invalidateQueries({ queryKey: ['audit', post] })
      announce(t('audit.export.signed.done'))
    },
  })
  const busy = table.isPending || signed.isPending
  const failed = table.error ?? signed.error
  return (
    <div className="stack-s">
      <MenuButton
        label={t('audit.export')} className="btn secondary" button={<><Download aria-hidden="true" />{busy ? t('audit.export.busy') : t('audit.export')}</>}
        groups={[{
          entries: [
            { id: 'csv', label: t('audit.export.csv'), icon: <Sheet aria-hidden="true" />, onAct: () => busy || table.mutate() },
            { id: 'signed', label: t('audit.export.signed'), icon: <FileCheck2 aria-hidden="true" />, onAct: () => busy || signed.mutate() },
          ],
        }]}
      />
      {isProblem(failed, 'conflict') ? <p className="note danger" role="alert">{t('audit.export.tampered')}</p> : failed ? <ErrorNote error={failed} /> : null}
    </div>
  )
}
