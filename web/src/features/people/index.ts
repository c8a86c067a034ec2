export { PeoplePanel } from './PeoplePanel'
