export { OwnPage } from './OwnPage'
