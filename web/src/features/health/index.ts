export { HealthPage } from './HealthPage'
