// The lines of a profile in a form. Nothing is saved before its effects have been shown.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { CircleAlert } from 'lucide-react'
import { useEffect, useRef, useState, type SubmitEvent } from 'react'
import { agent, isProblem, type Profile, type ProfileDraft, type ProfileEffects, type ProfileRules } from '@/api'
import { ErrorNote, useFaults } from '@/features/frame'
import { Effects } from '@/features/meeting'
import { useLang, useT } from '@/i18n'
import { listed } from '@/i18n/lists'
import { announce, AreaField, Button, Field, SelectField, textOf } from '@/ui'
import { choices, flags, read } from './lines'

interface Props {
  post: string
  profile: Profile
  fresh: boolean
  go: (path: string) => void
}

export function ProfileForm({ post, profile, fresh, go }: Props) {
  const t = useT()
  const queries = useQueryClient()
  const [seen, setSeen] = useState<{ edit: ReturnType<typeof read>; effects: ProfileEffects } | null>(null)
  const preview = useMutation({
    mutationFn: (edit: ReturnType<typeof read>) => agent.previewProfile(post, profile.id, { ...edit, version: profile.version }),
    onSuccess: (effects, edit) => setSeen({ edit, effects }),
  })
  const saved = () => {
    void queries.invalidateQueries({ queryKey: ['profiles'] })
    queries.removeQueries({ queryKey: ['profile'] })
    announce(t('profiles.saved'))
    go('/profiles')
  }
  const save = useMutation({ mutationFn: (edit: ReturnType<typeof read>) => agent.changeProfile(post, profile.id, { ...edit, version: profile.version }), onSuccess: saved })
  const create = useMutation({ mutationFn: (draft: ProfileDraft) => agent.createProfile(post, draft), onSuccess: saved })
  const error = create.error ?? save.error ?? preview.error
  const fields = useFaults(error)
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => {
    if (Object.keys(fields).length > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
    // For each answer once, not for each drawing of it.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [error])
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    save.reset()
    if (fresh) create.mutate({ ...read(form), id: textOf(form, 'id').trim() })
    else preview.mutate(read(form))
  }
  const renew = () => void queries.resetQueries({ queryKey: ['profile', post, profile.id] })
  const change = () => {
    setSeen(null)
    preview.reset()
    save.reset()
  }
  return (
    <form ref={form} className="card profile-form" onSubmit={submit} onChange={change}>
      {fresh ? <Field label={t('profiles.id')} hint={t('profiles.id.hint')} name="id" className="code" required minLength={2} maxLength={32} pattern="[a-z0-9]+(-[a-z0-9]+)*" autoComplete="off" error={fields['id']} /> : null}
      <div className="pair">
        <Field label={t('profiles.name.fr')} name="name.fr" lang="fr" required maxLength={80} defaultValue={fresh ? '' : profile.name.fr} error={fields['name.fr']} />
        <Field label={t('profiles.name.en')} name="name.en" lang="en" required maxLength={80} defaultValue={fresh ? '' : profile.name.en} error={fields['name.en']} />
      </div>
      <AreaField rows={2} label={t('profiles.sentence.fr')} name="sentence.fr" lang="fr" hint={t('profiles.sentence.hint')} required maxLength={300} defaultValue={fresh ? '' : profile.sentence.fr} error={fields['sentence.fr']} />
      <AreaField rows={2} label={t('profiles.sentence.en')} name="sentence.en" lang="en" required maxLength={300} defaultValue={fresh ? '' : profile.sentence.en} error={fields['sentence.en']} />
      <Lines rules={profile.rules} fields={fields} />
      {seen ? <Seen effects={seen.effects} /> : null}
      {error && Object.keys(fields).length === 0 ? <Refusal error={error} renew={renew} /> : null}
      {seen
        ? <Button kind="primary" big busy={save.isPending} onClick={() => save.mutate(seen.edit)}>{t('profiles.apply')}</Button>
        : <Button kind="primary" big type="submit" busy={preview.isPending || create.isPending}>{t(fresh ? 'profiles.create' : 'profile.preview')}</Button>}
    </form>
  )
}

/** Why nothing was done, where no field is at fault. */
function Refusal({ error, renew }: { error: unknown; renew: () => void }) {
  const t = useT()
  if (isProblem(error, 'profile-unavailable')) return <p className="note danger" role="alert"><CircleAlert aria-hidden="true" /><span>{t('profiles.inuse')}</span></p>
  if (!isProblem(error, 'conflict')) return <ErrorNote error={error} />
  return (
    <div className="note danger" role="alert">
      <CircleAlert aria-hidden="true" />
      <div className="stack-s">
        <p>{t('profiles.changedmeanwhile')}</p>
        <div><Button onClick={renew}>{t('profiles.changedmeanwhile.look')}</Button></div>
      </div>
    </div>
  )
}

function Lines({ rules, fields }: { rules: ProfileRules; fields: Readonly<Record<string, string>> }) {
  const t = useT()
  return (
    <>
      <fieldset className="stack-s">
        <legend>{t('profiles.lines')}</legend>
        {flags.map((line) => (
          <label key={line} className="check">
            <input type="checkbox" name={line} value="yes" defaultChecked={rules[line]} aria-invalid={fields[`rules.${line}`] ? true : undefined} />
            <span>{t(`profiles.line.${line}`)}{fields[`rules.${line}`] ? <small className="error">{fields[`rules.${line}`]}</small> : null}</span>
          </label>
        ))}
      </fieldset>
      <div className="pair">
        <Field label={t('profiles.line.link_hours')} hint={t('profiles.line.link_hours.hint')} name="link_hours" type="number" min={0} max={2160} required defaultValue={rules.link_hours} error={fields['rules.link_hours']} />
        {Object.entries(choices).map(([line, words]) => (
          <SelectField key={line} label={t(`profiles.line.${line}`)} name={line} defaultValue={String(rules[line as keyof ProfileRules])} error={fields[`rules.${line}`]}>
            {words.map((word) => <option key={word} value={word}>{t(`profiles.line.${line}.${word.replaceAll('-', '')}`)}</option>)}
          </SelectField>
        ))}
        <Field label={t('profiles.line.last_host_delay')} name="last_host_delay" type="number" min={0} max={3600} required defaultValue={rules.last_host_delay} error={fields['rules.last_host_delay']} />
      </div>
    </>
  )
}

function Seen({ effects }: { effects: ProfileEffects }) {
  const t = useT()
  const lang = useLang()
  return (
    <section className="seen" role="status" aria-label={t('effects.title')}>
      <h2>{t('effects.title')}</h2>
      <p>{t('effects.inuse', { n: effects.in_use })}{effects.more ? ` ${t('effects.more')}` : ''}</p>
      {effects.needs.length > 0 ? <p className="note warn"><span>{t('profile.lacking', { needs: listed(effects.needs.map((need) => t(`profile.need.${need.replaceAll('-', '')}`)), lang) })}</span></p> : null}
      <Effects meetings={effects.meetings} titled />
    </section>
  )
}
