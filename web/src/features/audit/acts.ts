// The acts of the trail, in the groups by which one looks for them. A test holds this list beside the server's.
const listed = {
  meeting: 'meeting.created meeting.opened meeting.ended meeting.changed meeting.adjourned profile.created profile.changed meeting.profile_chosen meeting.profile_applied',
  role: 'host.seated host.unseated member.named member.unnamed host.appointed host.handed_over hosts.gone host.back',
  link: 'link.created link.extended link.reissued link.pin_set link.revoked link.redeemed',
  lobby: 'knock.waiting knock.admitted knock.denied knock.banned knock.lifted knock.message knock.withdrawn knock.expired admission.ended',
  call: 'participant.joined participant.left participant.removed participant.sent_back participant.permitted participant.muted participant.asked_to_unmute participant.camera_stopped participant.share_stopped participant.spotlit spotlight.ended meeting.muted meeting.asked_to_unmute meeting.permitted meeting.locked meeting.unlocked',
  content: 'chat.exported chat.deleted file.sent file.deleted',
  recording: 'recording.asked recording.cancelled recording.agreed recording.declined recording.withdrawn recording.started recording.paused recording.resumed recording.interrupted recording.stopped recording.closed recording.downloaded recording.watched recording.film_again recording.shared recording.unshared recording.held recording.hold_lifted recording.deletion_begun recording.deleted',
  account: 'post.created post.changed post.member_added post.member_changed post.member_removed post.key_added post.key_removed setup.offered account.setup account.created password.set session.signed_in session.signed_out session.ended account.disabled account.enabled account.reset',
  refusal: 'sign_in.refused password.refused call.refused',
  server: 'server.started server.stopped audit.exported',
} as const

export type Group = keyof typeof listed
export const groupNames = Object.keys(listed) as Group[]
export const groups = Object.fromEntries(groupNames.map((name) => [name, listed[name].split(' ')])) as unknown as Readonly<Record<Group, readonly string[]>>

/** The group whose acts these are, or undefined. */
export function groupOf(acts: readonly string[]): Group | undefined {
  return groupNames.find((name) => groups[name].length === acts.length && groups[name].every((act) => acts.includes(act)))
}
