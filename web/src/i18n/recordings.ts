// The words of lists of recordings: they travel with those lists alone.
import { loadMore, wanted, type Catalogues } from './index'

const words: Catalogues = import.meta.glob('./locales/*.po', { query: '?recordings', import: 'default' }) as Catalogues

/** Before such a list: loads its words, and from then on those of every language that is chosen. */
export const loadRecordingWords = (): Promise<void> => loadMore(wanted.includes(words) ? wanted : [...wanted, words])
