// The agent's meetings by when they are of interest.
import type { Meeting } from '@/api'

export const groupNames = ['now', 'today', 'later', 'permanent', 'past'] as const
export type GroupName = (typeof groupNames)[number]

/** Which group a meeting is in, on the reader's calendar. */
export function groupOf(meeting: Meeting, now: Date): GroupName {
  if (meeting.state === 'ended') return 'past'
  if (meeting.state === 'open' || meeting.waiting > 0) return 'now'
  if (meeting.permanent) return 'permanent'
  if (unheld(meeting, now)) return 'past'
  return meeting.starts_at !== undefined && new Date(meeting.starts_at).toDateString() === now.toDateString() ? 'today' : 'later'
}

/** Its time is over, and nobody opened it. */
export function unheld(meeting: Meeting, now: Date): boolean {
  return meeting.state === 'scheduled' && meeting.ends_at !== undefined && new Date(meeting.ends_at) < now
}

const when = (meeting: Meeting) => new Date(meeting.ended_at ?? meeting.starts_at ?? meeting.created_at).getTime()

/** The groups that have any; what comes by the next time, what is over by the last, permanent ones by title. */
export function grouped(meetings: readonly Meeting[], now: Date): [GroupName, Meeting[]][] {
  return groupNames.flatMap((name) => {
    const of = meetings.filter((meeting) => groupOf(meeting, now) === name)
    const order = (a: Meeting, b: Meeting) => (name === 'permanent' ? a.title.localeCompare(b.title) : name === 'past' ? when(b) - when(a) : when(a) - when(b))
    return of.length > 0 ? [[name, of.toSorted(order)] as [GroupName, Meeting[]]] : []
  })
}
