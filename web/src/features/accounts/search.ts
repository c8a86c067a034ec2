import type { AdministeredAccount } from '@/api'
import { finder } from '@/i18n/fold'

export const states = ['active', 'invited', 'disabled'] as const satisfies readonly AdministeredAccount['state'][]

/** What is looked for; an empty text chooses everything. */
export interface Wanted {
  text: string
  state: string
  role: string
}

/** The accounts that are looked for, by name or address, in the order of names. */
export function search(accounts: readonly AdministeredAccount[], { text, state, role }: Wanted, lang: string): AdministeredAccount[] {
  const finds = finder(text)
  return accounts
    .filter((account) => (!state || account.state === state) && (!role || account.posts.some((at) => at.role === role)) && finds(`${account.name} ${account.email}`))
    .sort((a, b) => a.name.localeCompare(b.name, lang))
}
