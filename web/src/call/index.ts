// The light half of the call: what the entry page may load. The live half is in live.ts and travels in its own chunk.
export { DeviceCheck, type CheckState, type Device, type Opened } from './check'
export { listenWithWebAudio } from './listening'
export { intents } from './intents'
export { obstacle, type EffectProblem, type MediaProblem, type Obstacle } from './media'
export { moderates, type Role } from './role'
