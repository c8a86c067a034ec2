// The question: two equal answers, and the way out. It stands above the tiles and takes the focus from nobody who writes; who
// has answered is where they were before they came to it.
import { CircleDot, LogOut } from 'lucide-react'
import { useEffect, useEffectEvent, useId, useRef, type RefObject } from 'react'
import type { Consent, ConsentState } from '@/call/consent'
import type { RecordingTold } from '@/call/live'
import { ErrorNote } from '@/features/frame'
import { useT, Words } from '@/i18n'
import { announce, Button, useFocusKept } from '@/ui'

interface Props {
  recording: RecordingTold
  consent: Consent
  own: ConsentState
  leave: () => void
}

export function Prompt({ recording, consent, own, leave }: Props) {
  const t = useT()
  const title = useId()
  const section = useRef<HTMLElement>(null)
  useFocusReturned(section)
  const say = useEffectEvent(() => announce(t('rec.sr.asked', { host: recording.by, purpose: recording.purpose }), 'assertive'))
  useEffect(() => say(), [recording.id])
  useEffect(() => {
    // One element in full screen, such as a shared picture, hides the question.
    if (document.fullscreenElement && document.fullscreenElement !== document.documentElement) void document.exitFullscreen().catch(() => undefined)
  }, [recording.id])
  return (
    <section ref={section} className="notice rec-prompt" role="group" aria-labelledby={title} data-region="question" data-testid="rec-prompt">
      <div className="note">
        <CircleDot aria-hidden="true" />
        <div className="rec-ask">
          {/* It scrolls where the screen is small: the answers stay in view, and so does the meeting. */}
          {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
          <div className="stack-s rec-read" role="region" aria-labelledby={title} tabIndex={0}>
            {/* The stop of F6, so that the question is reached from anywhere. */}
            <h2 id={title} tabIndex={-1}><Words id="rec.ask" values={{ host: <bdi>{recording.by}</bdi> }} /></h2>
            <Facts recording={recording} />
          </div>
          {own.error ? <ErrorNote error={own.error} /> : null}
          <div className="rec-foot">
            <Choice consent={consent} own={own} />
            <Button kind="quiet" icon={<LogOut aria-hidden="true" className="flip" />} onClick={leave}>{t('rec.leave')}</Button>
          </div>
        </div>
      </div>
    </section>
  )
}

/** Whoever is in it when it goes comes back to where they were; if that is gone, to the call. */
function useFocusReturned(section: RefObject<HTMLElement | null>): void {
  const before = useRef<HTMLElement | null>(null)
  useEffect(() => {
    const own = section.current
    const comes = ({ relatedTarget: from }: FocusEvent) => {
      if (from instanceof HTMLElement && !own?.contains(from)) before.current = from
    }
    own?.addEventListener('focusin', comes)
    return () => own?.removeEventListener('focusin', comes)
  }, [section])
  useFocusKept(section, () => {
    before.current?.focus()
    if (document.activeElement !== before.current) toCall()
  })
}

/** To the people: from there everything is near, and nothing is pressed by mistake. */
export const toCall = (): void => document.getElementById('main')?.focus()

/** What for, what, where and for how long, what a no does, and what it cannot keep out. */
export function Facts({ recording }: { recording: RecordingTold }) {
  const t = useT()
  const post = <bdi>{recording.post}</bdi>
  return (
    <ul className="rec-facts sm">
      <li><Words id="rec.purpose" values={{ purpose: <bdi>{recording.purpose}</bdi> }} /></li>
      <li><Words id="rec.what" values={{ days: recording.keepDays, post }} /></li>
      <li><Words id={recording.watchable ? 'rec.watchable' : 'rec.sealed'} values={{ post }} /></li>
      <li>{t('rec.no.effect')}</li>
      <li>{t('rec.mic')}</li>
    </ul>
  )
}

/** What holds now, by what one has answered; who takes a yes back reads what becomes of what was taken. */
export const saidOf: Readonly<Record<'agreed' | 'declined' | 'withdrawn', string>> = { agreed: 'rec.in', declined: 'rec.out', withdrawn: 'rec.withdrawn' }

/** Two buttons of the same weight; the present answer is told as pressed. */
export function Choice({ consent, own }: { consent: Consent; own: ConsentState }) {
  const t = useT()
  const known = own.answer !== null && own.answer !== undefined
  const answer = async (said: 'agree' | 'decline') => {
    if (await consent.answer(said)) announce(t(saidOf[consent.state.get().answer ?? (said === 'agree' ? 'agreed' : 'declined')]))
  }
  return (
    <div className="rec-choice" role="group" aria-label={t('rec.choice')}>
      <Button busy={own.busy} {...(known ? { 'aria-pressed': own.answer === 'agreed' } : {})} onClick={() => void answer('agree')}>{t('rec.yes')}</Button>
      <Button busy={own.busy} {...(known ? { 'aria-pressed': own.answer !== 'agreed' } : {})} onClick={() => void answer('decline')}>{t('rec.no')}</Button>
    </div>
  )
}
