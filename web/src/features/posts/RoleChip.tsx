import { FileSearch, ShieldCheck, User } from 'lucide-react'
import type { Member } from '@/api'
import { useT } from '@/i18n'

export const roles = ['agent', 'administrator', 'auditor'] as const satisfies readonly Member['role'][]
const icons = { agent: User, administrator: ShieldCheck, auditor: FileSearch }

export function RoleChip({ role }: { role: Member['role'] }) {
  const t = useT()
  const Icon = icons[role]
  return <span className="chip"><Icon aria-hidden="true" />{t(`posts.role.${role}`)}</span>
}
