export { AccountsPage } from './AccountsPage'
