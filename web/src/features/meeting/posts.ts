// The posts of whoever is signed in, as far as meetings are concerned.
import type { Account, PostRole } from '@/api'

/** The posts whose meetings the account makes and hosts. */
export function actsAt(account: Account): PostRole[] {
  return account.posts.filter(({ role }) => role !== 'auditor')
}

/** The posts that the account administers. */
export function administeredBy(account: Account): PostRole[] {
  return account.posts.filter(({ role }) => role === 'administrator')
}
