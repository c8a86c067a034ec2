export { Door, type DoorState } from './door'
export { LobbyPanel } from './LobbyPanel'
export { useKnockSign } from './useKnockSign'
