// What is opened beside the tiles or over them: it travels when the call stands, or when it is opened before that.
export { ChatPanel } from '@/features/chat'
export { KeysDialog, TimerDialog } from '@/features/controls'
export { PeoplePanel } from '@/features/people'
