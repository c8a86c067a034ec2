// The words of administrators' and auditors' pages: many, for few, so they travel with those pages alone.
import { loadMore, wanted, type Catalogues } from './index'

const words: Catalogues = import.meta.glob('./locales/*.po', { query: '?admin', import: 'default' }) as Catalogues

/** Before such a page: loads its words, and from then on those of every language that is chosen. */
export const loadAdminWords = (): Promise<void> => loadMore(wanted.includes(words) ? wanted : [...wanted, words])
