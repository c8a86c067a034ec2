// Makes a guest link. Its secret is made here, in the host's browser: the server receives only the hash of what is derived from it.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { User, Users } from 'lucide-react'
import { useState, type SubmitEvent } from 'react'
import { agent, codeHash, isProblem, keepSecret, linkURL, newSecret, redemptionCode, type Link, type LinkDraft, type Meeting } from '@/api'
import { ErrorNote } from '@/features/frame'
import { useLang, useT } from '@/i18n'
import { shortMoment } from '@/i18n/dates'
import { Button, Field, SelectField, textOf } from '@/ui'
import { Dialog } from '@/ui/overlays'
import { LinkToCopy } from './LinkToCopy'

interface Props {
  meeting: Meeting
  open: boolean
  onClose: () => void
}

interface Made {
  link: Link
  url: string
}

export function LinkDialog({ meeting, open, onClose }: Props) {
  const t = useT()
  const [made, setMade] = useState<Made | null>(null)
  const close = () => {
    setMade(null)
    onClose()
  }
  return (
    <Dialog open={open} onClose={close} closeLabel={t('common.close')} title={made ? t('links.ready') : t('links.new')}>
      {made ? <Ready made={made} onDone={close} /> : <NewLink meeting={meeting} onMade={setMade} />}
    </Dialog>
  )
}

async function makeLink(meetingID: string, draft: Omit<LinkDraft, 'code_hash'>): Promise<Made> {
  const secret = newSecret()
  const code = await redemptionCode(secret)
  if (code === null) throw new Error('a fresh secret is well formed')
  const link = await agent.createLink(meetingID, { ...draft, code_hash: await codeHash(code) })
  keepSecret(link.id, secret)
  return { link, url: linkURL(location.origin, link.id, secret) }
}

const lives = [4, 24, 168, 720, 2160] // hours

function NewLink({ meeting, onMade }: { meeting: Meeting; onMade: (made: Made) => void }) {
  const t = useT()
  const queries = useQueryClient()
  const [kind, setKind] = useState<Link['kind']>('personal')
  const make = useMutation({
    mutationFn: (draft: Omit<LinkDraft, 'code_hash'>) => makeLink(meeting.id, draft),
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: ['links', meeting.id] })
      onMade(made)
    },
  })
  const fields = isProblem(make.error, 'invalid') ? make.error.fields : {}
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (!make.isPending) make.mutate(read(new FormData(event.currentTarget), kind))
  }
  return (
    <form className="stack" onSubmit={submit}>
      <fieldset className="kinds">
        <legend className="vh">{t('links.kind')}</legend>
        {(['personal', 'shared'] as const).map((one) => (
          <label key={one} className="kind">
            <input type="radio" name="kind" value={one} checked={kind === one} onChange={() => setKind(one)} />
            <b>{one === 'personal' ? <User aria-hidden="true" /> : <Users aria-hidden="true" />}{t(`links.kind.${one}`)}</b>
            <span>{t(`links.kind.${one}.says`)}</span>
          </label>
        ))}
      </fieldset>
      {kind === 'personal' ? (
        <div className="pair">
          <Field key="name" label={t('links.guest')} name="guest" required maxLength={120} autoComplete="off" error={fields['guest_name']} />
          <Field key="org" label={t('links.organisation')} name="organisation" maxLength={120} autoComplete="off" error={fields['organisation']} />
        </div>
      ) : (
        <Field key="max" label={t('links.max')} name="max" type="number" min={1} max={1000} defaultValue={10} required error={fields['max_uses']} />
      )}
      <Field label={t('links.label')} name="label" maxLength={120} autoComplete="off" hint={t('links.label.hint')} error={fields['label']} />
      <div className="pair">
        <Field label={t('links.from')} name="from" type="datetime-local" hint={t('links.from.hint')} error={fields['valid_from']} />
        <SelectField label={t('links.life')} name="life" defaultValue="168" error={fields['expires_at']}>
          {lives.map((life) => <option key={life} value={life}>{t(`links.life.${life}`)}</option>)}
        </SelectField>
      </div>
      {make.error && Object.keys(fields).length === 0 ? <ErrorNote error={make.error} /> : null}
      <Button kind="primary" big type="submit" busy={make.isPending}>{t('links.make')}</Button>
    </form>
  )
}

function read(form: FormData, kind: Link['kind']): Omit<LinkDraft, 'code_hash'> {
  const text = (name: string) => textOf(form, name).trim()
  const life = Number(text('life'))
  const label = text('label')
  const organisation = text('organisation')
  // From the form's local clock; a time gone by, or none, is now.
  const from = new Date(text('from')).getTime()
  const opens = from > Date.now() ? from : null
  return {
    kind,
    expires_at: new Date((opens ?? Date.now()) + life * 3_600_000).toISOString(),
    ...(opens ? { valid_from: new Date(opens).toISOString() } : {}),
    ...(label ? { label } : {}),
    ...(kind === 'personal' ? { guest_name: text('guest'), ...(organisation ? { organisation } : {}) } : { max_uses: Number(text('max')) }),
  }
}

function Ready({ made, onDone }: { made: Made; onDone: () => void }) {
  const t = useT()
  const lang = useLang()
  const until = shortMoment(new Date(made.link.expires_at), lang)
  const from = made.link.valid_from
  return (
    <div className="stack">
      <p>{from ? t('links.ready.from', { from: shortMoment(new Date(from), lang), date: until }) : t('links.ready.says', { date: until })}</p>
      <LinkToCopy url={made.url} hint={t('links.ready.hint')} onDone={onDone} />
    </div>
  )
}
