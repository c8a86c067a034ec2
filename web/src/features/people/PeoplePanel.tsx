// Who is in, and what a host may do about it. Those who wait are never listed here.
import { Ban, DoorOpen, Ellipsis, ListChecks, Mic, MicOff, UserMinus, UserPlus, Volume2 } from 'lucide-react'
import { useRef, useState } from 'react'
import { initials, type Person } from '@/call/live'
import { useT, Words } from '@/i18n'
import { Button, recoverFocus, useFocusKept } from '@/ui'
import { Confirm, MenuButton, type MenuEntry } from '@/ui/overlays'
import './people.css'

interface Props {
  people: readonly Person[]
  /** Present when the person looking is a host. */
  host?: {
    remove: (person: Person) => Promise<void>
    sendBack: (person: Person) => void
    rights: (person: Person) => void
    ban: (person: Person) => void
    invite: () => void
  }
}

export function PeoplePanel({ people, host }: Props) {
  const t = useT()
  const [asked, setAsked] = useState<Person | null>(null)
  const hosts = people.filter((person) => person.role !== 'guest')
  const guests = people.filter((person) => person.role === 'guest')
  const actsOn = (person: Person): MenuEntry[] =>
    !host || person.self ? [] : [
      // A host was not let in by anybody, so that there is nothing to take back but the place.
      ...(person.role === 'guest' ? [
        { id: 'rights', label: t('rights.change'), icon: <ListChecks aria-hidden="true" />, onAct: () => host.rights(person) },
        { id: 'back', label: t('people.back'), icon: <DoorOpen aria-hidden="true" />, onAct: () => host.sendBack(person) },
      ] : []),
      { id: 'remove', label: t('people.remove.one'), icon: <UserMinus aria-hidden="true" />, danger: true, onAct: () => setAsked(person) },
      ...(person.role === 'guest' ? [{ id: 'ban', label: t('lobbyp.ban'), icon: <Ban aria-hidden="true" />, danger: true, onAct: () => host.ban(person) }] : []),
    ]
  return (
    <>
      <div className={`scroll ${host ? 'with-acts' : ''}`}>
        <Group title={t('people.hosts')} people={hosts} actsOn={actsOn} />
        <Group title={t('people.guests')} people={guests} actsOn={actsOn} />
        <Confirm
          open={asked !== null} onClose={() => { setAsked(null); recoverFocus() }} cancel={t('common.cancel')} act={t('people.remove')}
          title={<Words id="people.remove.ask" values={{ name: <bdi>{asked?.name ?? ''}</bdi> }} />} onAct={() => (asked && host ? host.remove(asked) : undefined)}
        >
          <p>{t('people.remove.effect')}</p>
        </Confirm>
      </div>
      {host ? <footer><Button icon={<UserPlus aria-hidden="true" />} onClick={host.invite}>{t('links.new')}</Button></footer> : null}
    </>
  )
}

function Group({ title, people, actsOn }: { title: string; people: readonly Person[]; actsOn: (person: Person) => MenuEntry[] }) {
  if (people.length === 0) return null
  return (
    <section aria-label={title} className="people">
      <h3>{title} <span className="muted num">{people.length}</span></h3>
      <ul>
        {people.map((person) => <Row key={person.identity} person={person} acts={actsOn(person)} />)}
      </ul>
    </section>
  )
}

function Row({ person, acts }: { person: Person; acts: MenuEntry[] }) {
  const t = useT()
  const row = useRef<HTMLLIElement>(null)
  useFocusKept(row)
  return (
    <li ref={row}>
      <b className="round" aria-hidden="true">{initials(person.name)}</b>
      <div className="who">
        <bdi>{person.name}</bdi>{person.self ? <span className="muted"> {t('people.you')}</span> : null}
        {person.organisation ? <small><bdi>{person.organisation}</bdi></small> : null}
      </div>
      {person.speaking ? <Volume2 role="img" aria-label={t('people.speaks')} className="speaks" /> : person.micOn ? <Mic role="img" aria-label={t('people.micon')} /> : <MicOff role="img" aria-label={t('ctl.mic.off')} className="off" />}
      {acts.length > 0 ? (
        <MenuButton
          label={t('people.acts', { name: person.name })} className="btn quiet only-icon" button={<Ellipsis aria-hidden="true" />}
          groups={[{ entries: acts.filter((entry) => !entry.danger) }, { entries: acts.filter((entry) => entry.danger) }]}
        />
      ) : null}
    </li>
  )
}
