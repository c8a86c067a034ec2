export { CallPage } from './CallPage'
export { HostCall } from './HostCall'
