export { ChatPanel } from './ChatPanel'
