export { PeoplePanel } from './PeoplePanel'
export { usePersonMenu, type Moderating } from './usePersonMenu'
export type { OnAll } from './ForAll'
