export { SessionList } from './SessionList'
