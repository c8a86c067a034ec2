import { useState, type SubmitEvent } from 'react'
import type { NewPost, Post } from '@/api'
import { ErrorNote, useFaults } from '@/features/frame'
import { useLang, useT } from '@/i18n'
import { AreaField, Button, Field, SelectField, textOf } from '@/ui'
import { languageNames, languageTags, timeZones, zoneHere } from './words'

interface Props {
  post?: Post
  error: unknown
  busy: boolean
  act: string
  /** For a new post: the address proposed for its first administrator. */
  administrator?: string
  onSubmit: (draft: NewPost) => void
}

/** What is said about a post, new or not. */
export function PostForm({ post, error, busy, act, administrator, onSubmit }: Props) {
  const t = useT()
  const lang = useLang()
  const [languages, setLanguages] = useState(post?.languages.join(', ') ?? lang)
  const [zone, setZone] = useState(post?.time_zone ?? zoneHere())
  const fields = useFaults(error)
  const wrongLanguages = Object.keys(fields).some((field) => field.startsWith('languages'))
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const text = (name: string) => textOf(form, name).trim()
    if (!busy) {
      onSubmit({
        name: text('name'), time_zone: zone, languages: languageTags(languages),
        contact: { address: text('address'), phone: text('phone'), email: text('email'), web: text('web') },
        ...(administrator === undefined ? {} : { administrator: text('administrator') }),
      })
    }
  }
  const optional = (label: string) => <>{label} <span className="opt">{t('posts.optional')}</span></>
  return (
    <form className="stack" onSubmit={submit}>
      <Field label={t('posts.name')} name="name" required maxLength={120} autoComplete="off" defaultValue={post?.name} hint={t('posts.name.hint')} error={fields['name'] ? t('posts.name.invalid') : undefined} />
      <div className="pair">
        <SelectField label={t('posts.zone')} value={zone} onChange={(event) => setZone(event.target.value)} hint={t('posts.zone.hint')} error={fields['time_zone'] ? t('posts.zone.invalid') : undefined}>
          {timeZones(zone).map((name) => <option key={name} value={name}>{name.replaceAll('_', ' ')}</option>)}
        </SelectField>
        <Field label={t('posts.languages')} className="code" required autoComplete="off" autoCapitalize="none" value={languages} onChange={(event) => setLanguages(event.target.value)} hint={`${languageNames(languageTags(languages), lang)}. ${t('posts.languages.hint')}`} error={wrongLanguages ? t('posts.languages.invalid') : undefined} />
      </div>
      <fieldset className="stack">
        <legend>{t('posts.contact')}</legend>
        <AreaField label={optional(t('posts.address'))} name="address" rows={3} maxLength={1000} defaultValue={post?.contact.address} error={fields['contact.address'] ? t('posts.address.invalid') : undefined} />
        <div className="pair">
          <Field label={optional(t('posts.phone'))} name="phone" type="tel" maxLength={40} autoComplete="off" defaultValue={post?.contact.phone} error={fields['contact.phone'] ? t('posts.phone.invalid') : undefined} />
          <Field label={optional(t('signin.email'))} name="email" type="email" maxLength={254} autoComplete="off" defaultValue={post?.contact.email} error={fields['contact.email'] ? t('accounts.email.invalid') : undefined} />
        </div>
        <Field label={optional(t('posts.web'))} name="web" type="url" maxLength={300} autoComplete="off" placeholder="https://" defaultValue={post?.contact.web} error={fields['contact.web'] ? t('posts.web.invalid') : undefined} />
      </fieldset>
      {administrator === undefined ? null : (
        <Field label={t('posts.first')} name="administrator" type="email" required maxLength={254} autoComplete="off" defaultValue={administrator} hint={t('posts.first.hint')} error={fields['administrator'] ? t('posts.add.unknown') : undefined} />
      )}
      {error && Object.keys(fields).length === 0 ? <ErrorNote error={error} /> : null}
      <Button kind="primary" big type="submit" busy={busy}>{act}</Button>
    </form>
  )
}
