import { EntryPage } from './EntryPage'

/** The entry page without a visit: what is put into guest.html at build time. */
export function EntryShell() {
  return <EntryPage visit={null} view={null} typed={{ name: '', organisation: '', focus: '' }} />
}
