export { EntryShell } from './EntryShell'
export { GuestApp } from './GuestApp'
export { typedBefore } from './typed'
export { type Keep } from './visit'
