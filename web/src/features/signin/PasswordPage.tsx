import { useState, type SubmitEvent } from 'react'
import { agent } from '@/api'
import { ErrorNote, useFaults } from '@/features/frame'
import { AgentFrame, type AgentProps } from '@/features/meeting'
import { useT } from '@/i18n'
import { Button, Field, Heading, textOf, useTitle } from '@/ui'
import './signin.css'

interface Props extends AgentProps {
  /** The person has just come in by a one-time link: no current password is asked. */
  first: boolean
  onDone: () => void
}

/** Sets or changes the password of a local account. */
export function PasswordPage({ first, onDone, ...frame }: Props) {
  const t = useT()
  useTitle(t('password.title'))
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const fields = useFaults(error)
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
    <AgentFrame {...frame}>
      <main id="main" className="signin">
        <form className="card" onSubmit={submit}>
          <div className="stack-s">
            <p className="sm"><a href="/">{t('meetings.title')}</a></p>
            <Heading>{t('password.title')}</Heading>
            {first ? <p className="muted">{t('password.first')}</p> : null}
          </div>
          {first ? null : <Field label={t('password.current')} name="current" type="password" autoComplete="current-password" hint={t('password.current.hint')} error={fields['current']} />}
          <Field label={t('password.new')} name="password" type="password" autoComplete="new-password" required minLength={12} hint={t('setup.password')} error={fields['password']} />
          {error && Object.keys(fields).length === 0 ? <ErrorNote error={error} /> : null}
          <Button kind="primary" big type="submit" busy={busy}>{t('password.do')}</Button>
        </form>
      </main>
    </AgentFrame>
  )
}
