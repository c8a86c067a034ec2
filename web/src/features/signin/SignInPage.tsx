import { useEffect, useEffectEvent, useRef, useState, type SubmitEvent } from 'react'
import { agent, isProblem, type Account } from '@/api'
import { ErrorNote, Frame, Loading } from '@/features/frame'
import { useT } from '@/i18n'
import { Button, Field, Heading, textOf, useTitle } from '@/ui'
import './signin.css'

interface Props {
  /** A one-time code from the address; it signs in by itself. */
  code: string
  /** once: by the one-time code, not by a password. */
  onSignedIn: (account: Account, once: boolean) => void
}

export function SignInPage({ code, onSignedIn }: Props) {
  const t = useT()
  useTitle(t('signin.title'))
  const used = useOneTimeCode(code, (account) => onSignedIn(account, true))
  const returned = new URLSearchParams(location.search).has('to')
  if (used === 'trying') return <Loading />
  return (
    <Frame subtitle={t('frame.agents')}>
      <main id="main" className="signin">
        <div className="card">
          <Heading>{t('signin.title')}</Heading>
          {used === 'refused' ? <p className="note warn" role="alert">{t('signin.code.used')}</p> : null}
          {returned ? <p className="note">{t('signin.first')}</p> : null}
          <PasswordForm onSignedIn={(account) => onSignedIn(account, false)} />
        </div>
        <p className="muted">{t('signin.guest')}</p>
      </main>
    </Frame>
  )
}

function useOneTimeCode(code: string, onSignedIn: (account: Account) => void): 'none' | 'trying' | 'refused' {
  const [state, setState] = useState<'none' | 'trying' | 'refused'>(code ? 'trying' : 'none')
  const posted = useRef(false)
  const done = useEffectEvent(onSignedIn)
  useEffect(() => {
    if (!code || posted.current) return
    posted.current = true
    agent.signInOnce(code).then((account) => done(account), () => setState('refused'))
  }, [code])
  return state
}

function PasswordForm({ onSignedIn }: { onSignedIn: (account: Account) => void }) {
  const t = useT()
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const wrong = isProblem(error, 'unauthenticated', 'invalid', 'forbidden')
  const password = useRef<HTMLInputElement>(null)
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    setBusy(true)
    setError(null)
    agent
      .signIn(textOf(form, 'email').trim(), textOf(form, 'password'))
      .then(onSignedIn, (problem: unknown) => {
        setError(problem)
        password.current?.focus()
      })
      .finally(() => setBusy(false))
  }
  return (
    <form className="stack" aria-label={t('signin.title')} onSubmit={submit}>
      <Field label={t('signin.email')} name="email" type="email" autoComplete="username" required />
      <Field ref={password} label={t('signin.password')} name="password" type="password" autoComplete="current-password" required error={wrong ? t('signin.wrong') : undefined} />
      {error && !wrong ? <ErrorNote error={error} /> : null}
      <Button kind="primary" big type="submit" busy={busy}>{busy ? t('entry.moment') : t('signin.do')}</Button>
    </form>
  )
}
