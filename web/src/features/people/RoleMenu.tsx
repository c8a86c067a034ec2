// What the host may make of an agent in the call: co-host and back, or the host in one's place.
import { Crown, ShieldMinus, ShieldPlus } from 'lucide-react'
import type { Person } from '@/call/live'
import { useT, Words } from '@/i18n'
import { Confirm, type MenuEntry } from '@/ui/overlays'

export interface RoleActs {
  name: (person: Person, role: 'cohost' | 'participant') => void
  handOver: (person: Person) => Promise<void>
}

/** Guests never become hosts, whatever the menu. */
export function roleEntries(t: ReturnType<typeof useT>, person: Person, roles: RoleActs, onHandOver: (person: Person) => void): MenuEntry[] {
  if (person.outside || person.self) return []
  switch (person.role) {
    case 'cohost':
      return [
        { id: 'hand-over', label: t('role.handover'), icon: <Crown aria-hidden="true" />, onAct: () => onHandOver(person) },
        { id: 'take-back', label: t('role.takeback'), icon: <ShieldMinus aria-hidden="true" />, onAct: () => roles.name(person, 'participant') },
      ]
    case 'participant':
    case 'observer':
      return [{ id: 'make-cohost', label: t('role.makecohost'), icon: <ShieldPlus aria-hidden="true" />, onAct: () => roles.name(person, 'cohost') }]
    default:
      return []
  }
}

export function HandOverQuestion({ person, roles, onClose }: { person: Person | null; roles: RoleActs; onClose: () => void }) {
  const t = useT()
  return (
    <Confirm
      open={person !== null} onClose={onClose} cancel={t('common.cancel')} act={t('role.handover.act')} kind="primary"
      title={<Words id="role.handover.ask" values={{ name: <bdi>{person?.name ?? ''}</bdi> }} />} onAct={() => (person ? roles.handOver(person) : undefined)}
    >
      <p>{t('role.handover.effect')}</p>
    </Confirm>
  )
}
