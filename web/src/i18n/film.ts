// The words of the page on which a recording is watched: they travel with it alone.
import { loadMore, wanted, type Catalogues } from './index'

const words: Catalogues = import.meta.glob('./locales/*.po', { query: '?film', import: 'default' }) as Catalogues

/** Before that page: loads its words, and from then on those of every language that is chosen. */
export const loadFilmWords = (): Promise<void> => loadMore(wanted.includes(words) ? wanted : [...wanted, words])
