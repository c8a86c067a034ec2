// What somebody is in a meeting, as of the server's table of roles; 'other' is nobody of a meeting.
export type Role = 'host' | 'cohost' | 'participant' | 'guest' | 'observer' | 'other'

const roles: readonly Role[] = ['host', 'cohost', 'participant', 'guest', 'observer']

/** The role of that name. */
export function roleNamed(name: string | undefined): Role {
  return roles.find((role) => role === name) ?? 'other'
}

/** Whether the role moderates. */
export function moderates(role: Role): boolean {
  return role === 'host' || role === 'cohost'
}
