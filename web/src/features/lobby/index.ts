export { Door } from './door'
export { LobbyPanel } from './LobbyPanel'
export { BanDialog, RightsDialog } from './questions'
export { useKnockSign, useReplySign } from './useKnockSign'
