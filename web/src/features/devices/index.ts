export { BlurField } from './BlurField'
export { DeviceCheckCard } from './DeviceCheckCard'
export { IntentSwitches } from './IntentSwitches'
export { MediaHelp } from './MediaHelp'
