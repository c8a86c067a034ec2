import { useCallback, useState, type ReactNode } from 'react'
import type { Call, Person } from '@/call/live'
import { useT } from '@/i18n'
import { Confirm } from '@/ui/overlays'

/** Who from outside sees what one is about to share. */
function outsiders(people: readonly Person[]): readonly Person[] {
  const self = people.find((person) => person.self)
  return self?.role === 'guest' ? [] : people.filter((person) => person.role === 'guest')
}

/**
 * Shares, but asks an agent before while outside guests are in: once for those who are in, and again
 * only when another has come.
 */
export function useShareQuestion(call: Call, people: readonly Person[]): { share: () => void; question: ReactNode } {
  const t = useT()
  const [asked, setAsked] = useState(false)
  const [known, setKnown] = useState<ReadonlySet<string>>(new Set())
  const guests = outsiders(people)
  const share = useCallback(() => {
    const { self, people: now } = call.state.get()
    if (!self.sharing && outsiders(now).some((guest) => !known.has(guest.identity))) setAsked(true)
    else void call.toggleShare()
  }, [call, known])
  const question = (
    <Confirm
      open={asked} kind="primary" title={t('share.ask', { n: guests.length })} cancel={t('common.cancel')} act={t('share.choose')}
      // The browser's chooser wants the press itself: it is not waited for.
      onAct={() => {
        setKnown(new Set([...known, ...guests.map((guest) => guest.identity)]))
        void call.toggleShare()
        return Promise.resolve()
      }}
      onClose={() => setAsked(false)}
    >
      <p>{t('share.ask.effect')}</p>
      <ul className="names">{guests.slice(0, 8).map((guest) => <li key={guest.identity}><bdi>{guest.name}</bdi>{guest.organisation ? <> — <bdi>{guest.organisation}</bdi></> : null}</li>)}</ul>
    </Confirm>
  )
  return { share, question }
}
