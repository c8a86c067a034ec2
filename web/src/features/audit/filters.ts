// What is looked for in the trail, as it stands in the page's address.

/** Empty texts and lists choose everything; days are those of the reader, the last one included. */
export interface Filters {
  acts: readonly string[]
  actor: string
  meeting: string
  link: string
  guest: string
  from: string
  to: string
}

export const everything: Filters = { acts: [], actor: '', meeting: '', link: '', guest: '', from: '', to: '' }

const ids = ['actor', 'meeting', 'link', 'guest'] as const
const isID = (text: string) => /^[\w-]{1,64}$/.test(text)
const isDay = (text: string) => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(new Date(`${text}T00:00`).getTime())

/** Reads an address; what is not of the form is left out. */
export function readFilters(search: string): Filters {
  const query = new URLSearchParams(search)
  const text = (name: string, is: (text: string) => boolean) => {
    const value = query.get(name) ?? ''
    return is(value) ? value : ''
  }
  return {
    acts: (query.get('act') ?? '').split(',').filter((act) => /^[a-z_]+\.[a-z_]+$/.test(act)),
    actor: text('actor', isID), meeting: text('meeting', isID), link: text('link', isID), guest: text('guest', isID), from: text('from', isDay), to: text('to', isDay),
  }
}

/** The same as a query of the page's address, without what chooses everything. */
export function writeFilters(filters: Filters, post: string): string {
  const query = new URLSearchParams()
  if (post) query.set('post', post)
  if (filters.acts.length > 0) query.set('act', filters.acts.join(','))
  for (const name of [...ids, 'from', 'to'] as const) if (filters[name]) query.set(name, filters[name])
  const text = query.toString().replaceAll('%2C', ',')
  return text && `?${text}`
}

/** The period as times: from the beginning of the first day to that of the day after the last. */
export function periodOf({ from, to }: Pick<Filters, 'from' | 'to'>): { since?: string; until?: string } {
  const after = to ? new Date(`${to}T00:00`) : null
  after?.setDate(after.getDate() + 1) // also where the clocks change
  return { ...(from ? { since: new Date(`${from}T00:00`).toISOString() } : {}), ...(after ? { until: after.toISOString() } : {}) }
}

/** The query of the API for these filters. */
export function asked(filters: Filters): URLSearchParams {
  const query = new URLSearchParams(periodOf(filters))
  if (filters.acts.length > 0) query.set('act', filters.acts.join(','))
  for (const name of ids) if (filters[name]) query.set(name, filters[name])
  return query
}
