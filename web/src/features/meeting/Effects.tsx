import { TriangleAlert } from 'lucide-react'
import type { MeetingEffects } from '@/api'
import { useLang, useT, Words, type Translate } from '@/i18n'
import { moment } from '@/i18n/dates'
import { lineSaid } from './profileLines'
import './profiles.css'

/** What a security profile would do to meetings, or did, and what it cannot undo. */
export function Effects({ meetings, titled = false }: { meetings: readonly MeetingEffects[]; titled?: boolean }) {
  const t = useT()
  const some = meetings.filter(changes)
  if (some.length === 0) return <p>{t('effects.none')}</p>
  return <div className="effects">{some.map((meeting) => <OnMeeting key={meeting.meeting} of={meeting} titled={titled} />)}</div>
}

const changes = (of: MeetingEffects) => of.heard || of.chat !== 'unchanged' || of.links.length + of.waiting.length + of.guests.length + of.lobby.length + of.freed.length + of.files > 0

function OnMeeting({ of, titled }: { of: MeetingEffects; titled: boolean }) {
  const t = useT()
  const stay = of.guests.filter((guest) => guest.stays)
  const lose = of.guests.filter((guest) => guest.loses_share)
  const fileless = of.guests.filter((guest) => guest.loses_files)
  return (
    <section>
      {titled ? <h3><bdi>{of.title}</bdi></h3> : null}
      <ul>
        {of.links.map((link) => <LinkLine key={link.id} of={link} t={t} />)}
        {of.waiting.map((guest) => <li key={guest.knock}><Words id="effects.waiting" values={{ name: <bdi>{guest.name}</bdi>, why: lineSaid(guest.line, t) }} /></li>)}
        {of.chat === 'unchanged' ? null : <li>{t(of.chat === 'kept' ? 'effects.chat.kept' : 'effects.chat.notkept')}</li>}
        {of.freed.map((agent) => <li key={agent.knock}><Words id="effects.freed" values={{ name: <bdi>{agent.name}</bdi> }} /></li>)}
        {lose.map((guest) => <li key={guest.identity}><Words id="effects.share" values={{ name: <bdi>{guest.name}</bdi> }} /></li>)}
        {fileless.map((guest) => <li key={guest.identity}><Words id="effects.files" values={{ name: <bdi>{guest.name}</bdi> }} /></li>)}
      </ul>
      {stay.length + of.lobby.length + of.stored + of.files > 0 || of.heard ? (
        <div className="note warn">
          <TriangleAlert aria-hidden="true" />
          <div className="stack-s">
            <p>{t('effects.irrevocable')}</p>
            <ul>
              {stay.map((guest) => <li key={guest.identity}><Words id="effects.stays" values={{ name: <bdi>{guest.name}</bdi>, why: lineSaid(guest.stays ?? '', t) }} /></li>)}
              {of.lobby.map((person) => <li key={person.identity}><Words id="effects.lobby" values={{ name: <bdi>{person.name}</bdi> }} /></li>)}
              {of.stored > 0 ? <li>{t('effects.chat.stored', { n: of.stored })}</li> : null}
              {of.files > 0 ? <li>{t('effects.files.stay', { n: of.files })}</li> : null}
              {of.heard ? <li>{t('effects.heard')}</li> : null}
            </ul>
          </div>
        </div>
      ) : null}
    </section>
  )
}

function LinkLine({ of, t }: { of: MeetingEffects['links'][number]; t: Translate }) {
  const lang = useLang()
  const name = <bdi>{of.guest_name ?? (of.label || t(`links.kind.${of.kind}`))}</bdi>
  if (!of.until) return <li><Words id="effects.link.stops" values={{ name, why: lineSaid(of.line, t) }} /></li>
  return <li><Words id="effects.link.until" values={{ name, date: moment(new Date(of.until), lang) }} /></li>
}
