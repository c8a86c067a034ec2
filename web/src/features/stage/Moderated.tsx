// What a host has done to the person looking, and what a host asks of them: above the tiles, never over a face, and never
// taking the focus from where one writes.
import { Mic, ShieldAlert, X } from 'lucide-react'
import { useEffect, useState } from 'react'
import type { Call, CallState, Moderated } from '@/call/live'
import { useT, Words } from '@/i18n'
import { announce, Button } from '@/ui'

/** For how long a sentence stays on the screen, in milliseconds. */
const shownFor = 12_000

type Said = { key: number; deed: Moderated }

export function ModeratedNotices({ call, state }: { call: Call; state: CallState }) {
  const t = useT()
  const [said, setSaid] = useState<Said | null>(null)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let key = 0
    const stop = call.onEvent((event) => {
      if (event.is === 'asked') announce(t('mod.asked', { name: event.by }))
      if (event.is === 'locked' || event.is === 'unlocked') announce(t(event.is === 'locked' ? 'mod.locked' : 'mod.unlocked'))
      if (event.is !== 'moderated') return
      for (const sentence of sentencesOf(event.deed)) announce(t(sentence, { name: event.deed.by }))
      setSaid({ key: ++key, deed: event.deed })
      clearTimeout(timer)
      timer = setTimeout(() => setSaid(null), shownFor)
    })
    return () => {
      stop()
      clearTimeout(timer)
    }
  }, [call, t])
  return (
    <>
      {said ? (
        <div className="notice" key={said.key} data-testid="moderated">
          <div className="note warn">
            <ShieldAlert aria-hidden="true" />
            <div>{sentencesOf(said.deed).map((sentence) => <p key={sentence}><Words id={sentence} values={{ name: <bdi>{said.deed.by}</bdi> }} /></p>)}</div>
          </div>
          <Button aria-label={t('common.close')} icon={<X aria-hidden="true" />} onClick={() => setSaid(null)} />
        </div>
      ) : null}
      {state.askedBy === null ? null : (
        <section className="notice asking" aria-label={t('mod.asked.label')}>
          <div className="note">
            <Mic aria-hidden="true" />
            <div className="stack-s">
              <p><Words id="mod.asked" values={{ name: <bdi>{state.askedBy}</bdi> }} /></p>
              <div className="row">
                <Button kind="primary" onClick={() => void call.answerAsk(true)}>{t('mod.asked.yes')}</Button>
                <Button onClick={() => void call.answerAsk(false)}>{t('mod.asked.no')}</Button>
              </div>
            </div>
          </div>
        </section>
      )}
    </>
  )
}

function sentencesOf({ what, rights }: Moderated) {
  if (what === 'forbidden' || what === 'allowed') return rights.map((right) => `mod.did.${what}.${right}` as const)
  return [`mod.did.${what}` as const]
}
