export { HostCall } from './HostCall'
