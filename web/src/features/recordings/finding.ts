// Which recordings are looked for.
import { beginOf, endOf } from './days'

/** What is empty leaves nothing out; days are those of date fields. */
export interface Wanted { of: string; title: string; from: string; to: string; held: boolean }

export const everything: Wanted = { of: '', title: '', from: '', to: '', held: false }

/** Whether it leaves anything out. */
export const narrows = (wanted: Wanted): boolean => Object.values(wanted).some((one) => one !== '' && one !== false)

const perPage = 20

/** The question to the server, for the page that begins where another one ended. */
export function asked({ of, title, from, to, held }: Wanted, after: string): URLSearchParams {
  const query = new URLSearchParams({ limit: String(perPage) })
  const set = (name: string, value: string) => {
    if (value !== '') query.set(name, value)
  }
  set('of', of)
  set('title', title.trim())
  set('since', from && beginOf(from))
  set('until', to && endOf(to))
  set('held', held ? 'true' : '')
  set('after', after)
  return query
}
