export { WaitingPage } from './WaitingPage'
