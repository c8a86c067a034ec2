export { EntryShell } from './EntryShell'
export { GuestApp } from './GuestApp'
export { typedBefore, type Typed } from './typed'
export { type Keep } from './visit'
