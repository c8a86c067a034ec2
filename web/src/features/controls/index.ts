export { ControlBar, type PanelName } from './ControlBar'
export { KeysDialog } from './KeysDialog'
export { useKeys } from './useKeys'
