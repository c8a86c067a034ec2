import { expect, it } from 'vitest'
import type { AdministeredAccount } from '@/api'
import { search } from './search'

const account = (name: string, email: string, state: AdministeredAccount['state'], role: 'agent' | 'auditor'): AdministeredAccount =>
  ({ id: email, name, email, admin: false, state, created_at: '2027-03-02T09:00:00Z', posts: [{ id: 'p', name: 'Dakar', role }] })
const all = [account('Zoé Ávila', 'zoe@a.example', 'active', 'agent'), account('Émile Roux', 'er@b.example', 'disabled', 'agent'), account('Anne Bernard', 'anne@a.example', 'invited', 'auditor')]

it.each([
  ['', '', '', ['Anne Bernard', 'Émile Roux', 'Zoé Ávila']],
  ['avila', '', '', ['Zoé Ávila']],
  ['A.EXAMPLE', '', '', ['Anne Bernard', 'Zoé Ávila']],
  ['', 'disabled', '', ['Émile Roux']],
  ['', '', 'auditor', ['Anne Bernard']],
  ['anne', 'active', '', []],
])('%s, %s, %s finds by name, address, state and role', (text, state, role, names) => {
  expect(search(all, { text, state, role }, 'fr').map(({ name }) => name)).toEqual(names)
})
