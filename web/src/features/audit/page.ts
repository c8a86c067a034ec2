// A page of the trail, as it is found by filters.
import { agent, type AuditPage } from '@/api'
import { asked, type Filters } from './filters'

/** Pages that a filter left empty are passed over, some at a time. */
const emptyPages = 20

/** The next events before one (0: the newest), newest first. */
export async function page(post: string, filters: Filters, before: number): Promise<AuditPage> {
  let from = before
  for (let i = 0; ; i++) {
    const found = await agent.audit(post, asked(filters), from)
    if (found.events.length > 0 || !found.next || i === emptyPages) return found
    from = found.next
  }
}
