// The server as the client sees it: types, calls, live channels. Features import from here alone.
export * as agent from './agent'
export * as guest from './guest'
export { findKey, type KeptKey } from './keys'
export * from './agentChannels'
export type { GuestChannel } from './channels'
export * from './link'
export * from './pin'
export * from './secret'
export * from './store'
export type * from './types'
export { isProblem, Problem } from './http'
export type { SocketState } from './socket'

/** What a guest proves, loaded when it is first wanted. */
export const loadProofs = () => import('./proofs')

/** The guest's live channel, loaded when it is first wanted. */
export const loadGuestChannel = () => import('./channels').then((module) => module.GuestChannel)
