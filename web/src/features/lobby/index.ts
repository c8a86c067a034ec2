export { Door } from './door'
export { LobbyPanel } from './LobbyPanel'
export { useKnockSign } from './useKnockSign'
