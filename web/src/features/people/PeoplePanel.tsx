// Who is in, and what a host may do about it. Those who wait are never listed here.
import { Ellipsis, Mic, MicOff, UserMinus, UserPlus, Volume2 } from 'lucide-react'
import { useRef, useState } from 'react'
import { initials, type Person } from '@/call/live'
import { useT, Words } from '@/i18n'
import { Button, recoverFocus, useFocusKept } from '@/ui'
import { Confirm, MenuButton } from '@/ui/overlays'
import './people.css'

interface Props {
  people: readonly Person[]
  /** Present when the person looking is a host. */
  onRemove?: (person: Person) => Promise<void>
  onInvite?: () => void
}

export function PeoplePanel({ people, onRemove, onInvite }: Props) {
  const t = useT()
  const [asked, setAsked] = useState<Person | null>(null)
  const hosts = people.filter((person) => person.role !== 'guest')
  const guests = people.filter((person) => person.role === 'guest')
  return (
    <>
      <div className={`scroll ${onRemove ? 'with-acts' : ''}`}>
        <Group title={t('people.hosts')} people={hosts} {...(onRemove ? { ask: setAsked } : {})} />
        <Group title={t('people.guests')} people={guests} {...(onRemove ? { ask: setAsked } : {})} />
        <Confirm
          open={asked !== null} onClose={() => { setAsked(null); recoverFocus() }} cancel={t('common.cancel')} act={t('people.remove')}
          title={<Words id="people.remove.ask" values={{ name: <bdi>{asked?.name ?? ''}</bdi> }} />} onAct={() => (asked && onRemove ? onRemove(asked) : undefined)}
        >
          <p>{t('people.remove.effect')}</p>
        </Confirm>
      </div>
      {onInvite ? <footer><Button icon={<UserPlus aria-hidden="true" />} onClick={onInvite}>{t('links.new')}</Button></footer> : null}
    </>
  )
}

function Group({ title, people, ask }: { title: string; people: readonly Person[]; ask?: (person: Person) => void }) {
  if (people.length === 0) return null
  return (
    <section aria-label={title} className="people">
      <h3>{title} <span className="muted num">{people.length}</span></h3>
      <ul>
        {people.map((person) => <Row key={person.identity} person={person} {...(ask && !person.self ? { ask } : {})} />)}
      </ul>
    </section>
  )
}

function Row({ person, ask }: { person: Person; ask?: (person: Person) => void }) {
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
      {ask ? (
        <MenuButton
          label={t('people.acts', { name: person.name })} className="btn quiet only-icon" button={<Ellipsis aria-hidden="true" />}
          groups={[{ entries: [{ id: 'remove', label: t('people.remove.one'), icon: <UserMinus aria-hidden="true" />, danger: true, onAct: () => ask(person) }] }]}
        />
      ) : null}
    </li>
  )
}
