export { Recordings } from './Recordings'
