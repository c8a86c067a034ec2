export { CallPage } from './CallPage'
