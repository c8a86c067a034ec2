// Who is in, and what a host may do about it. Those who wait are never listed here.
import { Ellipsis, Hand, Mic, MicOff, Pin, Search, Star, UserPlus, Volume2, VolumeX, X } from 'lucide-react'
import { memo, useEffect, useId, useRef, useState } from 'react'
import { moderates } from '@/call'
import { initials, type Moderation, type Person, type ViewState } from '@/call/live'
import { useT } from '@/i18n'
import { announce, Button, useFocusKept } from '@/ui'
import { MenuButton, type MenuGroup } from '@/ui/overlays'
import { ForAll, type OnAll } from './ForAll'
import { found } from './search'
import './people.css'

interface Props {
  people: readonly Person[]
  moderation: Moderation
  /** What the person looking has pinned and silenced. */
  view: Pick<ViewState, 'pins' | 'silenced'>
  menuOf: (person: Person) => MenuGroup[]
  /** Present when the person looking is a host. */
  host?: {
    invite: () => void
    onAll: OnAll
    /** Lowers a hand, or (null) all. */
    lower: (identity: string | null) => void
  }
}

export function PeoplePanel({ people: all, moderation, view, menuOf, host }: Props) {
  const t = useT()
  const [wanted, setWanted] = useState('')
  const people = found(all, wanted)
  const groups = [
    { title: t('people.hosts'), people: people.filter((person) => moderates(person.role)) },
    { title: t('people.agents'), people: people.filter((person) => person.role === 'participant' || person.role === 'other') },
    { title: t('people.guests'), people: people.filter((person) => person.role === 'guest') },
    { title: t('people.observers'), people: people.filter((person) => person.role === 'observer') },
  ]
  const hands = people.filter((person) => person.hand > 0).sort((a, b) => a.hand - b.hand)
  const rest = { menuOf, view, spotlight: moderation.spotlight }
  return (
    <>
      {host ? <div className="all"><ForAll acts={host.onAll} moderation={moderation} /></div> : null}
      <div className={`scroll ${host ? 'with-acts' : ''}`}>
        <SearchField wanted={wanted} onWanted={setWanted} found={people.length} />
        <Hands people={hands} {...(host ? { lower: host.lower } : {})} />
        {groups.map((group) => <Group key={group.title} {...group} {...rest} />)}
        {people.length === 0 ? <p className="people none">{t('people.search.none')}</p> : null}
      </div>
      {host ? <footer><Button icon={<UserPlus aria-hidden="true" />} onClick={host.invite}>{t('links.new')}</Button></footer> : null}
    </>
  )
}

/** Said once one has stopped typing, in milliseconds. */
const typed = 800

function SearchField({ wanted, onWanted, found }: { wanted: string; onWanted: (wanted: string) => void; found: number }) {
  const t = useT()
  const id = useId()
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (wanted.trim() === '') return
    const timer = setTimeout(() => announce(found === 0 ? t('people.search.none') : t('people.search.found', { n: found })), typed)
    return () => clearTimeout(timer)
  }, [wanted, found, t])
  const clear = () => {
    onWanted('')
    field.current?.focus()
  }
  return (
    <div className="people-search" role="search">
      <Search aria-hidden="true" />
      <label htmlFor={id} className="vh">{t('people.search')}</label>
      <input
        id={id} ref={field} type="text" autoComplete="off" placeholder={t('people.search')} value={wanted} onChange={(event) => onWanted(event.target.value)}
        onKeyDown={(event) => {
          // Escape empties the field before it closes the panel.
          if (event.key !== 'Escape' || wanted === '') return
          event.preventDefault()
          clear()
        }}
      />
      {wanted === '' ? null : <Button kind="quiet" aria-label={t('people.search.clear')} icon={<X aria-hidden="true" />} onClick={clear} />}
    </div>
  )
}

/** Whose hand is up, in the order in which they went up. */
function Hands({ people, lower }: { people: readonly Person[]; lower?: (identity: string | null) => void }) {
  const t = useT()
  if (people.length === 0) return null
  return (
    <section aria-label={t('hands.title')} className="people hands">
      <h3>{t('hands.title')} <span className="muted num">{people.length}</span></h3>
      <ol>
        {people.map((person) => (
          <li key={person.identity}>
            <b className="round num" aria-hidden="true">{person.hand}</b>
            <div className="who"><bdi>{person.name}</bdi>{person.self ? <span className="muted"> {t('people.you')}</span> : null}</div>
            {lower ? <Button kind="quiet" icon={<Hand aria-hidden="true" />} aria-label={t('hands.lower.of', { name: person.name })} onClick={() => lower(person.identity)}>{t('hands.lower.short')}</Button> : null}
          </li>
        ))}
      </ol>
      {lower && people.length > 1 ? <Button kind="quiet" onClick={() => lower(null)}>{t('hands.lower.all')}</Button> : null}
    </section>
  )
}

interface GroupProps {
  title: string
  people: readonly Person[]
  menuOf: (person: Person) => MenuGroup[]
  spotlight: readonly string[]
  view: Props['view']
}

function Group({ title, people, menuOf, spotlight, view }: GroupProps) {
  if (people.length === 0) return null
  return (
    <section aria-label={title} className="people">
      <h3>{title} <span className="muted num">{people.length}</span></h3>
      <ul>
        {people.map((person) => <Row key={person.identity} person={person} menuOf={menuOf} leads={spotlight.includes(person.identity)} pinned={view.pins.includes(person.identity)} silenced={view.silenced.includes(person.identity)} />)}
      </ul>
    </section>
  )
}

interface RowProps {
  person: Person
  menuOf: (person: Person) => MenuGroup[]
  leads: boolean
  pinned: boolean
  silenced: boolean
}

const Row = memo(function Row({ person, menuOf, leads, pinned, silenced }: RowProps) {
  const t = useT()
  const menu = menuOf(person)
  const row = useRef<HTMLLIElement>(null)
  useFocusKept(row)
  return (
    <li ref={row}>
      <b className="round" aria-hidden="true">{initials(person.name)}</b>
      <div className="who">
        <bdi>{person.name}</bdi>{person.self ? <span className="muted"> {t('people.you')}</span> : null}
        {moderates(person.role) ? <small>{t(`role.${person.role}`)}</small> : null}
        {person.organisation ? <small><bdi>{person.organisation}</bdi></small> : null}
        {person.recorded === false ? <small>{t('rec.tile.out')}</small> : null}
      </div>
      {leads ? <Star role="img" aria-label={t('mod.spotlit')} className="speaks" /> : null}
      {pinned ? <Pin role="img" aria-label={t('stage.pinned')} className="speaks" /> : null}
      {silenced ? <VolumeX role="img" aria-label={t('hear.silenced')} className="off" /> : null}
      {person.speaking ? <Volume2 role="img" aria-label={t('people.speaks')} className="speaks" /> : person.micOn ? <Mic role="img" aria-label={t('people.micon')} /> : <MicOff role="img" aria-label={t('ctl.mic.off')} className="off" />}
      {menu.length > 0 ? <MenuButton label={t('people.acts', { name: person.name })} className="btn quiet only-icon" button={<Ellipsis aria-hidden="true" />} groups={menu} /> : null}
    </li>
  )
})
