/// <reference types="vite/client" />
declare module '*.po?door' {
  import type { Messages } from '@lingui/core'
  const messages: Messages
  export default messages
}
declare module '*.po?rest' {
  import type { Messages } from '@lingui/core'
  const messages: Messages
  export default messages
}
