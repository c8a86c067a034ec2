export { CreatePage } from './CreatePage'
export { MeetingPage } from './MeetingPage'
export { MeetingsPage } from './MeetingsPage'
