// What a guest's browser proves: that it has the key of before, that a person has the PIN. Nothing of it is needed before somebody
// knocks or comes back, so the first page does not wait for it.
export { BrowserKeys, knockStatement, prove, returnStatement } from './binding'
export { pinProof, readPIN } from './pin'
