// Makes a guest link. Its secret is made here, in the host's browser: the server receives only the hash of what is derived from it.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { User, Users } from 'lucide-react'
import { useState, type SubmitEvent } from 'react'
import { type Link, type Meeting } from '@/api'
import { ErrorNote, useFaults } from '@/features/frame'
import { languages, said, useLang, useT } from '@/i18n'
import { Button, Field, SelectField, textOf } from '@/ui'
import { Dialog } from '@/ui/overlays'
import { LifeField } from './LifeField'
import { LinkReady } from './LinkReady'
import { endOf } from './lives'
import { makeLink, type Draft, type Made } from './making'
import { useProfiles } from './useProfiles'

interface Props {
  meeting: Meeting
  open: boolean
  onClose: () => void
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
      {made ? <LinkReady meeting={meeting} made={made} onDone={close} /> : <NewLink meeting={meeting} onMade={setMade} />}
    </Dialog>
  )
}

function NewLink({ meeting, onMade }: { meeting: Meeting; onMade: (made: Made) => void }) {
  const t = useT()
  const queries = useQueryClient()
  const lang = useLang()
  const profile = useProfiles(meeting.post).data?.find((one) => one.id === meeting.profile)
  const rules = profile?.rules
  const kinds = (['personal', 'shared'] as const).filter((one) => !rules || rules[`${one}_links`])
  const [wanted, setKind] = useState<Link['kind']>('personal')
  const kind = kinds.includes(wanted) ? wanted : (kinds[0] ?? wanted)
  const make = useMutation({
    mutationFn: (draft: Draft) => makeLink(meeting.id, draft),
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: ['links', meeting.id] })
      onMade(made)
    },
  })
  const fields = useFaults(make.error)
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (!make.isPending) make.mutate(read(new FormData(event.currentTarget), kind, meeting))
  }
  return (
    <form className="stack" onSubmit={submit}>
      <fieldset className="kinds">
        <legend className="vh">{t('links.kind')}</legend>
        {kinds.map((one) => (
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
      <SelectField label={t('links.language')} name="language" defaultValue="" error={fields['language']}>
        <option value="">{t('links.language.any')}</option>
        {Object.entries(languages).map(([tag, name]) => <option key={tag} value={tag}>{name}</option>)}
      </SelectField>
      <label className="check">
        <input type="checkbox" name="observer" value="yes" />
        <span>{t('links.observer.want')}<small>{t('links.observer.want.says')}</small></span>
      </label>
      <label className="check">
        <input key={String(rules?.pin)} type="checkbox" name="pin" value="yes" defaultChecked={rules?.pin === true} required={rules?.pin === true} />
        <span>{t('links.pin.want')}<small>{rules?.pin ? t('profile.asks', { profile: said(profile?.name, lang).text }) : t('links.pin.want.says')}</small></span>
      </label>
      <div className="pair">
        <Field label={t('links.from')} name="from" type="datetime-local" hint={t('links.from.hint')} error={fields['valid_from']} />
        <LifeField rules={rules} error={fields['expires_at']} />
      </div>
      {make.error && (Object.keys(fields).length === 0 || fields['kind'] || fields['pin_hash']) ? <ErrorNote error={make.error} /> : null}
      <Button kind="primary" big type="submit" busy={make.isPending}>{t('links.make')}</Button>
    </form>
  )
}

function read(form: FormData, kind: Link['kind'], meeting: Meeting): Draft {
  const text = (name: string) => textOf(form, name).trim()
  const [label, organisation, language] = [text('label'), text('organisation'), text('language')]
  // From the form's local clock; a time gone by, or none, is now.
  const from = new Date(text('from')).getTime()
  const opens = from > Date.now() ? from : null
  return {
    kind,
    withPIN: text('pin') === 'yes',
    expires_at: endOf(text('life'), meeting, opens ?? Date.now()),
    ...(opens ? { valid_from: new Date(opens).toISOString() } : {}),
    ...(text('observer') === 'yes' ? { role: 'observer' as const } : {}),
    ...(label ? { label } : {}),
    ...(language ? { language } : {}),
    ...(kind === 'personal' ? { guest_name: text('guest'), ...(organisation ? { organisation } : {}) } : { max_uses: Number(text('max')) }),
  }
}
