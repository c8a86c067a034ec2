// Whether the trail is as it was written, and what it means that it is.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { ShieldX, ShieldCheck } from 'lucide-react'
import { agent } from '@/api'
import { ErrorNote, Loading } from '@/features/frame'
import { useLang, useT } from '@/i18n'
import { shortMoment } from '@/i18n/stamps'
import { Button } from '@/ui'

export function Verification({ post }: { post: string }) {
  const t = useT()
  const lang = useLang()
  const queries = useQueryClient()
  const key = ['audit-verification', post]
  const { data, error, refetch } = useQuery({ queryKey: key, queryFn: () => agent.verifyAudit(post, false) })
  const again = useMutation({ mutationFn: () => agent.verifyAudit(post, true), onSuccess: (found) => queries.setQueryData(key, found) })
  if (error) return <ErrorNote error={error} retry={() => void refetch()} />
  if (!data) return <Loading />
  const date = shortMoment(new Date(data.checked_at), lang)
  return (
    <section className={`card verification ${data.intact ? 'ok' : 'bad'}`} aria-label={t('audit.check.means')}>
      <div className="head">
        <p role="status">
          {data.intact ? <ShieldCheck aria-hidden="true" /> : <ShieldX aria-hidden="true" />}
          <b>{data.intact ? t('audit.check.ok', { last: data.last, date }) : t('audit.check.bad', { n: data.findings.length + data.more_findings, date })}</b>
        </p>
        <Button busy={again.isPending} onClick={() => again.mutate()}>{t('audit.check.again')}</Button>
      </div>
      {again.error ? <ErrorNote error={again.error} /> : null}
      {data.findings.length > 0 ? <ul className="findings">{data.findings.slice(0, 20).map(({ seq, what }) => <li key={`${seq ?? 0} ${what}`} lang="en" dir="ltr">{seq ? t('audit.check.at', { seq, what }) : what}</li>)}</ul> : null}
      <details>
        <summary>{t('audit.check.means')}</summary>
        <div className="stack-s">
          <p>{t('audit.check.proves')}</p>
          <dl className="pairs">
            <div><dt>{t('audit.check.head')}</dt><dd><code dir="ltr">{data.last_hash}</code></dd></div>
            <div><dt>{t('audit.check.key')}</dt><dd><code dir="ltr">{data.public_key}</code></dd></div>
          </dl>
          <p className="muted">{t('audit.check.purged', { n: data.purged })}</p>
        </div>
      </details>
    </section>
  )
}
