import { useState, type SubmitEvent } from 'react'
import { agent, isProblem, type Account } from '@/api'
import { ErrorNote, Frame, PlainPage, useFaults } from '@/features/frame'
import { useLang, useT } from '@/i18n'
import { Button, Field, Heading, textOf, useTitle } from '@/ui'
import './signin.css'

interface Props {
  /** The code that the server printed at its first start. */
  code: string
  onSignedIn: (account: Account) => void
}

/** The first account of a new server. */
export function SetupPage({ code, onSignedIn }: Props) {
  const t = useT()
  useTitle(t('setup.title'))
  const lang = useLang()
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const fields = useFaults(error)
  const closed = code === '' || isProblem(error, 'unauthenticated', 'forbidden', 'not-found', 'conflict')
  if (closed) return <PlainPage subtitle={t('frame.agents')} title={t('setup.closed')}><p>{t('setup.closed.more')}</p></PlainPage>
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const text = (name: string) => textOf(form, name).trim()
    setBusy(true)
    setError(null)
    agent
      .setUp({
        code, name: text('name'), email: text('email'), password: textOf(form, 'password'),
        // The rest of the post is for its page: zone and language are those of this browser until then.
        post: { name: text('post'), time_zone: new Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC', languages: [lang] },
      })
      .then(onSignedIn, setError)
      .finally(() => setBusy(false))
  }
  return (
    <Frame subtitle={t('frame.agents')}>
      <main id="main" className="signin">
        <form className="card" onSubmit={submit}>
          <div className="stack-s">
            <Heading>{t('setup.title')}</Heading>
            <p className="muted">{t('setup.body')}</p>
          </div>
          <Field label={t('entry.name')} name="name" autoComplete="name" required maxLength={120} error={fields['name']} />
          <Field label={t('signin.email')} name="email" type="email" autoComplete="username" required error={fields['email']} />
          <Field label={t('signin.password')} name="password" type="password" autoComplete="new-password" required minLength={12} hint={t('setup.password')} error={fields['password']} />
          <Field label={t('setup.post')} name="post" required maxLength={120} autoComplete="organization" hint={t('posts.name.hint')} error={fields['post.name']} />
          {error && Object.keys(fields).length === 0 ? <ErrorNote error={error} /> : null}
          <Button kind="primary" big type="submit" busy={busy}>{t('setup.do')}</Button>
        </form>
      </main>
    </Frame>
  )
}
