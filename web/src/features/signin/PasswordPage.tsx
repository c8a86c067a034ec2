import { useState, type SubmitEvent } from 'react'
import { agent, isProblem } from '@/api'
import { ErrorNote, Frame } from '@/features/frame'
import { useT } from '@/i18n'
import { Button, Field, Heading, textOf, useTitle } from '@/ui'
import './signin.css'

/** Sets or changes the password of a local account. */
export function PasswordPage({ onDone }: { onDone: () => void }) {
  const t = useT()
  useTitle(t('password.title'))
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const fields = isProblem(error, 'invalid') ? error.fields : {}
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    setBusy(true)
    setError(null)
    agent
      .changePassword(textOf(form, 'password'), textOf(form, 'current'))
      .then(onDone, setError)
      .finally(() => setBusy(false))
  }
  return (
    <Frame subtitle={t('frame.agents')} actions={<a className="btn quiet" href="/">{t('meetings.title')}</a>}>
      <main id="main" className="signin">
        <form className="card" onSubmit={submit}>
          <Heading>{t('password.title')}</Heading>
          <Field label={t('password.current')} name="current" type="password" autoComplete="current-password" hint={t('password.current.hint')} error={fields['current']} />
          <Field label={t('password.new')} name="password" type="password" autoComplete="new-password" required minLength={12} hint={t('setup.password')} error={fields['password']} />
          {error && Object.keys(fields).length === 0 ? <ErrorNote error={error} /> : null}
          <Button kind="primary" big type="submit" busy={busy}>{t('password.do')}</Button>
        </form>
      </main>
    </Frame>
  )
}
