// One person who waits: enough to decide on, and what may be decided.
import { BadgeCheck, Ban, Ellipsis, KeyRound, Link2, ListChecks, MessageSquare, MessageSquareX, MonitorX, TriangleAlert, Undo2 } from 'lucide-react'
import type { KeyboardEvent } from 'react'
import type { Knock } from '@/api'
import { useT, Words } from '@/i18n'
import { Button } from '@/ui'
import { MenuButton } from '@/ui/overlays'
import { doubtful } from './door'
import { Thread } from './Thread'

export interface RowActs {
  admit: (knock: Knock) => void
  refuse: (knock: Knock) => void
  /** Opens the question that comes before. */
  ask: (what: 'permissions' | 'message' | 'ban', knock: Knock) => void
  /** Opens and closes the thread. */
  talk: (knock: Knock) => void
  write: (knock: Knock, text: string) => Promise<void>
}

interface RowProps {
  knock: Knock
  now: number
  busy: boolean
  /** Of all rows one is in the order of tabs; arrows go to the others. */
  active: boolean
  /** Whether A and R act. */
  letters: { a: boolean; r: boolean }
  talking: boolean
  onFocus: (knock: Knock) => void
  acts: RowActs
}

export function KnockRow({ knock, now, busy, active, letters, talking, onFocus, acts }: RowProps) {
  const t = useT()
  const minutes = Math.max(0, Math.floor((now - new Date(knock.since).getTime()) / 60_000))
  const keys = (event: KeyboardEvent<HTMLLIElement>) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return
    const rows = [...(event.currentTarget.parentElement?.children ?? [])] as HTMLElement[]
    const at = rows.indexOf(event.currentTarget)
    const to = { ArrowDown: rows[at + 1], ArrowUp: rows[at - 1], Home: rows[0], End: rows.at(-1) }[event.key]
    const act = { ...(letters.a ? { a: acts.admit } : {}), ...(letters.r ? { r: acts.refuse } : {}) }[event.key.toLowerCase()]
    if (!to && !act) return
    event.preventDefault()
    event.stopPropagation()
    if (to) to.focus()
    else if (!event.repeat) act?.(knock)
  }
  const tab = active ? 0 : -1
  return (
    // The row takes keys of its own (A, R, arrows) while it has the focus; its buttons do the same for everybody else.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <li className="knock" data-knock={knock.id} tabIndex={tab} aria-keyshortcuts={[letters.a ? 'A' : '', letters.r ? 'R' : ''].filter(Boolean).join(' ') || undefined} onFocus={() => onFocus(knock)} onKeyDown={keys}>
      <div className="who">
        <h3><bdi>{knock.name}</bdi></h3>
        <span className="num">{minutes === 0 ? t('lobby.waited.little') : t('lobby.minutes', { n: minutes })}</span>
      </div>
      <p>{knock.agent ? t(`lobbyp.agent.${knock.agent.role}`) : knock.organisation ? <bdi>{knock.organisation}</bdi> : t('lobbyp.noorg')}</p>
      <Marks knock={knock} />
      {talking || knock.messages.length > 0 ? <Thread knock={knock} open={talking} tab={tab} toggle={() => acts.talk(knock)} write={acts.write} /> : null}
      <div className="acts">
        <Button tabIndex={tab} kind={doubtful(knock) ? 'secondary' : 'soft'} busy={busy} onClick={() => acts.admit(knock)}>{t('lobbyp.admit')}<span className="vh"> {knock.name}</span></Button>
        <Button tabIndex={tab} busy={busy} onClick={() => acts.refuse(knock)}>{t('lobbyp.deny')}<span className="vh"> {knock.name}</span></Button>
        <MenuButton
          label={t('people.acts', { name: knock.name })} className="btn quiet only-icon" button={<Ellipsis aria-hidden="true" />} excludeFromTabOrder={!active}
          groups={[
            {
              entries: [
                { id: 'write', label: t('lobbyp.write'), icon: <MessageSquare aria-hidden="true" />, onAct: () => acts.talk(knock) },
                { id: 'permissions', label: t('lobbyp.admitwith'), icon: <ListChecks aria-hidden="true" />, onAct: () => acts.ask('permissions', knock) },
                { id: 'message', label: t('lobbyp.denywith'), icon: <MessageSquareX aria-hidden="true" />, onAct: () => acts.ask('message', knock) },
              ],
            },
            { entries: [{ id: 'ban', label: t('lobbyp.ban'), icon: <Ban aria-hidden="true" />, danger: true, onAct: () => acts.ask('ban', knock) }] },
          ]}
        />
      </div>
    </li>
  )
}

function Marks({ knock }: { knock: Knock }) {
  const t = useT()
  const { link } = knock
  const label = link?.label || link?.guest_name
  return (
    <div className="facts-known">
      {knock.agent ? <span className="chip ok"><BadgeCheck aria-hidden="true" />{t('lobbyp.agent')}</span> : null}
      {link ? <span className="chip"><Link2 aria-hidden="true" />{t(`links.kind.${link.kind}`)}{label ? <><span aria-hidden="true">·</span><bdi>{label}</bdi></> : null}</span> : null}
      {knock.pin_passed ? <span className="chip ok"><KeyRound aria-hidden="true" />{t('lobbyp.pin')}</span> : null}
      {knock.bound || knock.agent ? null : <span className="chip"><MonitorX aria-hidden="true" />{t('lobbyp.unbound')}</span>}
      {knock.sent_back ? <span className="chip"><Undo2 aria-hidden="true" className="flip" />{t('lobbyp.back')}</span> : null}
      {knock.name_differs && link?.guest_name ? <span className="chip warn"><TriangleAlert aria-hidden="true" /><Words id="lobbyp.mismatch" values={{ name: <bdi>{link.guest_name}</bdi> }} /></span> : null}
      {knock.name_suspicious ? <span className="chip warn"><TriangleAlert aria-hidden="true" />{t('lobbyp.suspicious')}</span> : null}
    </div>
  )
}
