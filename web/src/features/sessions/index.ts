export { browserName, SessionList } from './SessionList'
