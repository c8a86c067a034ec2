// The server as the client sees it: types, calls, live channels. Features import from here alone.
export * as agent from './agent'
export * as guest from './guest'
export * from './channels'
export * from './link'
export * from './store'
export type * from './types'
export { isProblem, Problem } from './http'
export type { SocketState } from './socket'
