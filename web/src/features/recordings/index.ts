export { Recordings } from './Recordings'
export { RecordingsPage } from './RecordingsPage'
