// The guest's first page: what, who, when; then the few fields needed. Readable before any script, see guest.html.
import { AppWindow, CalendarDays, CircleDot, EyeOff, MessageSquareText, ShieldCheck, User } from 'lucide-react'
import { useEffect, useLayoutEffect, useRef, useState, type RefObject, type SubmitEvent } from 'react'
import { isProblem, type GuestView, type Problem } from '@/api'
import { ErrorNote, Frame } from '@/features/frame'
import { IntentSwitches } from '@/features/devices'
import { Said, useLang, useT, Words, type Translate } from '@/i18n'
import { day, hour, moment, momentThere, zone } from '@/i18n/dates'
import { Button, Field, unlockSounds, useAfter, useNow, useTitle } from '@/ui'
import { fieldIDs, type Typed } from './typed'
import type { GuestVisit } from './visit'
import './guest.css'

interface Props {
  visit: GuestVisit | null
  /** null while the link is being redeemed, and in the page made at build time. */
  view: GuestView | null
  typed: Typed
}

export function EntryPage({ visit, view, typed }: Props) {
  const t = useT()
  useTitle(view ? t('entry.title', { title: view.meeting.title }) : t('entry.eyebrow'))
  return (
    <Frame subtitle={t('frame.meeting')}>
      <main id="main" className="entry">
        <section className="h" aria-labelledby="entry-title">
          <p className="eyebrow">{view ? t('entry.eyebrow') : '\u00a0'}</p>
          <h1 id="entry-title">{view ? <bdi>{view.meeting.title}</bdi> : t('entry.eyebrow')}</h1>
          {view ? <Facts view={view} /> : null}
        </section>
        <EntryForm visit={visit} view={view} typed={typed} />
        <section className="a" aria-label={t('entry.know')}>
          <ul className="facts">
            <li><ShieldCheck aria-hidden="true" /><div>{t('entry.gate')}<small><Said texts={view?.meeting.sentence} /></small></div></li>
            <li><CircleDot aria-hidden="true" /><div>{t(!view || view.meeting.recording === 'none' ? 'entry.norec' : view.meeting.recording_watchable ? 'entry.rec.watch' : 'entry.rec')}</div></li>
            {view && view.meeting.keep_chat_days > 0 ? <li><MessageSquareText aria-hidden="true" /><div>{t('entry.chatkept', { n: view.meeting.keep_chat_days })}</div></li> : null}
            {view ? <li><AppWindow aria-hidden="true" /><div>{t(`entry.browser.${view.link.kind}`)}</div></li> : null}
          </ul>
          <ol className="steps">
            <li>{t('entry.step.ask')}</li>
            <li>{view ? <span><Words id="entry.step.seen" values={{ host: <bdi>{view.meeting.organiser}</bdi> }} /></span> : t('entry.step.seen.anon')}</li>
            <li>{t('entry.step.in')}</li>
          </ol>
        </section>
      </main>
    </Frame>
  )
}

function Facts({ view }: { view: GuestView }) {
  const t = useT()
  const lang = useLang()
  const { organiser, starts_at: starts, ends_at: ends, time_zone: place } = view.meeting
  const there = starts ? momentThere(new Date(starts), place, lang) : null
  return (
    <ul className="facts">
      <li><User aria-hidden="true" /><div><Words id="entry.organiser" values={{ host: <bdi>{organiser}</bdi> }} /></div></li>
      {starts ? (
        <li>
          <CalendarDays aria-hidden="true" />
          <div>
            <span className="cap">{ends ? t('entry.when', { day: day(new Date(starts), lang), from: hour(new Date(starts), lang), to: hour(new Date(ends), lang) }) : moment(new Date(starts), lang)}</span>
            <small>{t('entry.zone', { zone: zone(new Date(starts), lang) })}</small>
            {there ? <small>{t('entry.there', { date: there })}</small> : null}
          </div>
        </li>
      ) : null}
    </ul>
  )
}

type Fault = { field: 'name' | 'organisation' | 'pin' | null; text: string; problem: Problem | null }

function EntryForm({ visit, view, typed }: Props) {
  const t = useT()
  const lang = useLang()
  const slow = useAfter(5000)
  const now = useNow(30_000)
  const [name, setName] = useState(typed.name)
  const [organisation, setOrganisation] = useState(typed.organisation)
  const [pin, setPIN] = useState('')
  const [fault, setFault] = useState<Fault | null>(null)
  const [busy, setBusy] = useState(false)
  const nameField = useRef<HTMLInputElement>(null)
  const organisationField = useRef<HTMLInputElement>(null)
  const pinField = useRef<HTMLInputElement>(null)
  const ready = view !== null && visit !== null
  const invited = view?.knock ?? { name: view?.link.guest_name, organisation: view?.link.organisation }
  usePrefill(nameField, invited.name, setName)
  usePrefill(organisationField, invited.organisation, setOrganisation)
  useEffect(() => {
    const field = typed.focus === fieldIDs.organisation ? organisationField : typed.focus === fieldIDs.name ? nameField : null
    field?.current?.focus()
  }, [typed.focus])

  const fail = (found: Fault) => {
    setFault(found)
    if (found.field === 'name') nameField.current?.focus()
    if (found.field === 'organisation') organisationField.current?.focus()
    if (found.field === 'pin') pinField.current?.select()
  }
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    if (!ready || busy) return
    unlockSounds()
    if (name.trim() === '') return fail({ field: 'name', text: t('entry.name.missing'), problem: null })
    if (view.link.pin && pin.trim() === '') return fail({ field: 'pin', text: t('entry.pin.missing'), problem: null })
    setBusy(true)
    setFault(null)
    try {
      const digits = view.link.pin ? await visit.readPIN(pin) : ''
      if (digits === null) return fail({ field: 'pin', text: t('entry.pin.digits'), problem: null })
      await visit.knock(name.trim(), organisation.trim(), digits)
    } catch (error) {
      if (!isProblem(error)) throw error
      const wrong = pinFault(error, t)
      if (wrong) return fail({ field: 'pin', text: wrong, problem: error })
      const field = 'name' in error.fields ? 'name' : 'organisation' in error.fields ? 'organisation' : null
      fail({ field, text: field ? t(`entry.${field}.invalid`) : '', problem: error })
    } finally {
      setBusy(false)
    }
  }
  const early = view?.meeting.starts_at && new Date(view.meeting.starts_at).getTime() > now && view.meeting.state === 'scheduled' ? view.meeting.starts_at : null
  return (
    <form className="card" aria-label={t('entry.do')} onSubmit={(event) => void submit(event)} noValidate>
      {early ? <p className="note"><span>{t('entry.early', { date: moment(new Date(early), lang) })}</span></p> : null}
      <Field
        ref={nameField} id={fieldIDs.name} label={t('entry.name')} name="name" autoComplete="name" maxLength={120} required value={name} onChange={(event) => setName(event.target.value)}
        hint={view?.link.kind === 'personal' ? t('entry.name.personal') : undefined} error={fault?.field === 'name' ? fault.text : undefined}
      />
      <Field
        ref={organisationField} id={fieldIDs.organisation} label={<Optional text={t('entry.org')} />} name="organization" autoComplete="organization" maxLength={120} value={organisation}
        onChange={(event) => setOrganisation(event.target.value)} error={fault?.field === 'organisation' ? fault.text : undefined}
      />
      {view?.link.pin ? (
        <Field
          ref={pinField} label={t('entry.pin')} name="pin" className="pin code" inputMode="numeric" autoComplete="one-time-code" autoCapitalize="off" spellCheck={false} maxLength={40} required
          value={pin} onChange={(event) => setPIN(event.target.value)} hint={t('entry.pin.hint')} error={fault?.field === 'pin' ? fault.text : undefined}
        />
      ) : null}
      <IntentSwitches disabled={visit === null} />
      <div className="stack-s">
        {fault?.problem && !fault.field ? <ErrorNote error={fault.problem} /> : null}
        <Button kind="primary" big type="submit" busy={!ready || busy}>{ready && !busy ? t('entry.do') : t('entry.moment')}</Button>
        <p className="unseen"><EyeOff aria-hidden="true" /><span>{slow && !ready ? t('entry.slow') : t('entry.unseen')}</span></p>
      </div>
    </form>
  )
}

/** What is wrong with the PIN, in words; null when it is something else. */
function pinFault(problem: Problem, t: Translate): string | null {
  if (problem.code === 'pin-required') return t('entry.pin.missing')
  if (problem.code !== 'pin-wrong') return null
  const left = problem.document['tries_left']
  return t('entry.pin.wrong', { n: typeof left === 'number' ? left : 0 })
}

/**
 * A personal invitation comes with its name. Whoever has typed by then keeps what they typed; whoever stands in the empty field,
 * about to type, finds the name chosen, so that the first letter takes its place and does not go behind it.
 */
function usePrefill(field: RefObject<HTMLInputElement | null>, invited: string | undefined, set: (change: (typed: string) => string) => void): void {
  const choose = useRef(false)
  useLayoutEffect(() => {
    const input = field.current
    if (!invited || !input || input.value !== '') return
    choose.current = document.activeElement === input
    set((typed) => typed || invited)
  }, [field, invited, set])
  // Before the next key can arrive: the name and its being chosen come in one turn.
  useLayoutEffect(() => {
    if (!choose.current || field.current?.value !== invited) return
    choose.current = false
    field.current?.select()
  })
}

/** "Your organisation (optional)": what stands in brackets is lighter. */
function Optional({ text }: { text: string }) {
  const [, label, aside] = /^(.*?)\s*(\(.*\))$/.exec(text) ?? [null, text, '']
  return <>{label} <span className="opt">{aside}</span></>
}
