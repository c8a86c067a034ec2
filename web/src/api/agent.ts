// The calls an agent makes; the cookie says who it is.
import { Problem, problemFrom, request } from './http'
import type { Account, AccountDraft, AdministeredAccount, AgentView, Attendance, AuditPage, AuditVerification, CreatedPost, Film, FilmChapter, FilmDraft, FoundRecordings, GuestList, InvitedAccount, KeptChat, KeptRecording, Knock, Link, LinkDraft, LinkUse, MediaGrant, Meeting, MeetingDraft, MeetingEdit, MeetingEffects, MeetingMember, Member, MemberDraft, NewPost, Orphan, OwnSession, Permissions, Permitted, Post, PostDraft, PostFigures, Profile, ProfileChange, ProfileDraft, ProfileEdit, ProfileEffects, ProfileHistory, RecordingShare, Recipient, RecipientDraft, RecipientList, Reissue, RightsForAll, ServerHealth, Setup } from './types'

/** What an agent can be named. */
export type NamedRole = Exclude<MeetingMember['role'], 'host'>

type WithAccount = { account: Account }
const id = encodeURIComponent

export const session = () => request<WithAccount>('GET', '/session').then((answer) => answer.account)
export const signIn = (email: string, password: string) => request<WithAccount>('POST', '/session', { body: { email, password } }).then((answer) => answer.account)
export const signInOnce = (code: string) => request<WithAccount>('POST', '/session/one-time', { body: { code } }).then((answer) => answer.account)
export const signOut = () => request<undefined>('DELETE', '/session')
export const setUp = (body: Setup) => request<WithAccount>('POST', '/setup', { body }).then((answer) => answer.account)

export const changePassword = (password: string, current: string) => request<undefined>('PUT', '/account/password', { body: current ? { password, current } : { password } })

/** Where one's account is signed in, last used first. */
export const ownSessions = () => request<{ sessions: OwnSession[] }>('GET', '/account/sessions').then((answer) => answer.sessions)
/** Its calls end at once. */
export const endSession = (sessionID: string) => request<undefined>('DELETE', `/account/sessions/${id(sessionID)}`)

export const accounts = () => request<{ accounts: AdministeredAccount[] }>('GET', '/accounts').then((answer) => answer.accounts)
export const createAccount = (body: AccountDraft) => request<InvitedAccount>('POST', '/accounts', { body })
const accountPath = (accountID: string) => `/accounts/${id(accountID)}`
/** Its sessions, sockets and calls have ended when this returns. */
export const disableAccount = (accountID: string) => request<AdministeredAccount>('POST', `${accountPath(accountID)}/disable`)
export const enableAccount = (accountID: string) => request<AdministeredAccount>('POST', `${accountPath(accountID)}/enable`)
/** A link with which another password is set; those of before are void. */
export const resetAccount = (accountID: string) => request<InvitedAccount>('POST', `${accountPath(accountID)}/reset`)
export const accountSessions = (accountID: string) => request<{ sessions: OwnSession[] }>('GET', `${accountPath(accountID)}/sessions`).then((answer) => answer.sessions)
export const endAccountSession = (accountID: string, sessionID: string) => request<undefined>('DELETE', `${accountPath(accountID)}/sessions/${id(sessionID)}`)
export const endAccountSessions = (accountID: string) => request<undefined>('DELETE', `${accountPath(accountID)}/sessions`)

export const posts = () => request<{ posts: Post[] }>('GET', '/posts').then((answer) => answer.posts)
export const createPost = (body: NewPost) => request<CreatedPost>('POST', '/posts', { body })
export const editPost = (postID: string, body: PostDraft) => request<Post>('PUT', `/posts/${id(postID)}`, { body })
/** Of the last thirty days in the post's time zone. */
export const figures = (postID: string) => request<PostFigures>('GET', `/posts/${id(postID)}/figures`)
export const members = (postID: string) => request<{ members: Member[] }>('GET', `/posts/${id(postID)}/members`).then((answer) => answer.members)
export const addMember = (postID: string, body: MemberDraft) => request<Member>('POST', `/posts/${id(postID)}/members`, { body })
const memberPath = (postID: string, accountID: string) => `/posts/${id(postID)}/members/${id(accountID)}`
export const setRole = (postID: string, accountID: string, role: Member['role']) => request<Member>('PUT', memberPath(postID, accountID), { body: { role } })
/** Meetings of the post that nobody hosts any more. */
export const orphans = (postID: string) => request<{ meetings: Orphan[] }>('GET', `/posts/${id(postID)}/orphans`).then((answer) => answer.meetings)
const orphanPath = (postID: string, meetingID: string) => `/posts/${id(postID)}/orphans/${id(meetingID)}`
export const appointHost = (postID: string, meetingID: string, email: string) => request<Orphan>('POST', `${orphanPath(postID, meetingID)}/host`, { body: { email } })
export const endOrphan = (postID: string, meetingID: string) => request<Orphan>('POST', `${orphanPath(postID, meetingID)}/end`)
/** Ends the person's calls in meetings of the post at once. */
export const removeMember = (postID: string, accountID: string) => request<undefined>('DELETE', memberPath(postID, accountID))

/** The keys of archives to which the post's recordings are sealed. */
export const recipients = (postID: string) => request<RecipientList>('GET', `/posts/${id(postID)}/recipients`)
export const addRecipient = (postID: string, body: RecipientDraft) => request<Recipient>('POST', `/posts/${id(postID)}/recipients`, { body })
export const removeRecipient = (postID: string, recipientID: string) => request<undefined>('DELETE', `/posts/${id(postID)}/recipients/${id(recipientID)}`)

export const meetings = () => request<{ meetings: Meeting[] }>('GET', '/meetings').then((answer) => answer.meetings)
export const meeting = (meetingID: string) => request<Meeting>('GET', `/meetings/${id(meetingID)}`)
export const createMeeting = (body: MeetingDraft) => request<Meeting>('POST', '/meetings', { body })
export const joinMeeting = (meetingID: string) => request<MediaGrant>('POST', `/meetings/${id(meetingID)}/join`, { body: {} })
const ownKnockPath = (meetingID: string) => `/meetings/${id(meetingID)}/knock`
/** One's own way in, where everybody but hosts waits. */
export const ownKnock = (meetingID: string) => request<AgentView>('GET', ownKnockPath(meetingID))
export const knock = (meetingID: string) => request<AgentView>('POST', ownKnockPath(meetingID))
export const withdrawKnock = (meetingID: string) => request<AgentView>('POST', `${ownKnockPath(meetingID)}/withdraw`)
export const replyToHosts = (meetingID: string, text: string) => request<AgentView>('POST', `${ownKnockPath(meetingID)}/messages`, { body: { text } })
export const endMeeting = (meetingID: string) => request<Meeting>('POST', `/meetings/${id(meetingID)}/end`)

/** For good, also a permanent one. */
export const endForGood = (meetingID: string) => request<Meeting>('POST', `/meetings/${id(meetingID)}/end-for-good`)
export const editMeeting = (meetingID: string, body: MeetingEdit) => request<Meeting>('PUT', `/meetings/${id(meetingID)}`, { body })
/** Who came, newest first, without the newest that are skipped. */
export const attendance = (meetingID: string, skip: number) => request<Attendance>('GET', `/meetings/${id(meetingID)}/attendance?skip=${skip}`)

/** Events before one (0: from the newest on), newest first. */
export const audit = (postID: string, query: URLSearchParams, before: number) => {
  const asked = new URLSearchParams(query)
  if (before > 0) asked.set('before', String(before))
  return request<AuditPage>('GET', `/posts/${id(postID)}/audit?${asked}`)
}
export const verifyAudit = (postID: string, again: boolean) => request<AuditVerification>('GET', `/posts/${id(postID)}/audit/verification${again ? '?again=true' : ''}`)
/** The chain of a period as it is, line by line, with its signed head; the trail tells of it. */
export const exportAudit = (postID: string, period: { since?: string; until?: string }) => text('POST', `/posts/${id(postID)}/audit/export`, period)

/** How the server is; for administrators of the installation. */
export const health = () => request<ServerHealth>('GET', '/health')

/** The meeting as a calendar file (RFC 5545); conflict where it has no start. For guests it has no address yet. */
export const calendarFile = (meetingID: string, reader: 'agent' | 'guest') => text('GET', `/meetings/${id(meetingID)}/calendar?for=${reader}`)

/** A call that answers with a text, or throws a Problem. */
async function text(method: string, path: string, body?: unknown): Promise<string> {
  const answer = await fetch(`/api/v1${path}`, { method, cache: 'no-store', ...(body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }) }).catch((error: unknown) => {
    throw new Problem('offline', 0, String(error))
  })
  const said = await answer.text()
  if (answer.ok) return said
  let problem: unknown
  try {
    problem = JSON.parse(said)
  } catch {
    problem = undefined
  }
  throw problemFrom(answer.status, problem)
}

export const profiles = (post: string) => request<{ profiles: Profile[] }>('GET', `/profiles?post=${id(post)}`).then((answer) => answer.profiles)
export const profile = (post: string, profileID: string) => request<ProfileHistory>('GET', `/profiles/${id(profileID)}?post=${id(post)}`)
export const createProfile = (post: string, body: ProfileDraft) => request<Profile>('POST', `/profiles?post=${id(post)}`, { body })
/** What a change would do, without doing it. */
export const previewProfile = (post: string, profileID: string, body: ProfileEdit) => request<ProfileEffects>('POST', `/profiles/${id(profileID)}/preview?post=${id(post)}`, { body })
export const changeProfile = (post: string, profileID: string, body: ProfileEdit) => request<ProfileChange>('PUT', `/profiles/${id(profileID)}?post=${id(post)}`, { body })
export const previewChoice = (meetingID: string, profile: string) => request<MeetingEffects>('POST', `/meetings/${id(meetingID)}/profile/preview`, { body: { profile } })
export const chooseProfile = (meetingID: string, profile: string) => request<MeetingEffects>('PUT', `/meetings/${id(meetingID)}/profile`, { body: { profile } })

/** Who is named, the host first. */
export const meetingMembers = (meetingID: string) => request<{ members: MeetingMember[] }>('GET', `/meetings/${id(meetingID)}/members`).then((answer) => answer.members)
export const nameMember = (meetingID: string, email: string, role: NamedRole) => request<MeetingMember>('POST', `/meetings/${id(meetingID)}/members`, { body: { email, role } })
const namedPath = (meetingID: string, accountID: string) => `/meetings/${id(meetingID)}/members/${id(accountID)}`
export const setMeetingMember = (meetingID: string, accountID: string, role: NamedRole) => request<MeetingMember>('PUT', namedPath(meetingID, accountID), { body: { role } })
export const removeMeetingMember = (meetingID: string, accountID: string) => request<undefined>('DELETE', namedPath(meetingID, accountID))
export const handOver = (meetingID: string, accountID: string) => request<undefined>('POST', `${namedPath(meetingID, accountID)}/hand-over`)
/** The same of an agent in the call, by identity. */
export const setRoleInCall = (meetingID: string, identity: string, role: NamedRole) => request<MeetingMember>('PUT', `/meetings/${id(meetingID)}/participants/${id(identity)}/role`, { body: { role } })
export const handOverInCall = (meetingID: string, identity: string) => request<undefined>('POST', `/meetings/${id(meetingID)}/participants/${id(identity)}/hand-over`)

/** Of the messages that were kept, those after one, oldest first. */
export const keptChat = (meetingID: string, after: number) => request<KeptChat>('GET', `/meetings/${id(meetingID)}/kept-chat?after=${after}`)
/** The same in longer stretches; the server writes down who took them away. */
export const exportKeptChat = (meetingID: string, after: number) => request<KeptChat>('POST', `/meetings/${id(meetingID)}/kept-chat/export`, { body: { after } })
export const deleteKeptChat = (meetingID: string) => request<{ messages: number }>('DELETE', `/meetings/${id(meetingID)}/kept-chat`)

/** Those that were started, newest first. */
export const recordings = (meetingID: string) => request<{ recordings: KeptRecording[] }>('GET', `/meetings/${id(meetingID)}/recordings`).then((answer) => answer.recordings)
const recordingPath = (meetingID: string, recordingID: string) => `/meetings/${id(meetingID)}/recordings/${id(recordingID)}`
export const deleteRecording = (meetingID: string, recordingID: string) => request<{ left: boolean }>('DELETE', recordingPath(meetingID, recordingID))
/** The address of a part, which may be large: it goes to the disk, not through this page. The server writes down who took it away. */
export const recordingPart = (meetingID: string, recordingID: string, part: number) => `/api/v1${recordingPath(meetingID, recordingID)}/parts/${part}`
/** Of all meetings, those that one has something to do with, newest first. */
export const findRecordings = (query: URLSearchParams) => request<FoundRecordings>('GET', `/recordings?${query}`)
/** Without an end: until it is deleted. Shared again, the end changes. */
export const shareRecording = (meetingID: string, recordingID: string, email: string, until?: string) => request<RecordingShare>('POST', `${recordingPath(meetingID, recordingID)}/shares`, { body: until ? { email, until } : { email } })
export const unshareRecording = (meetingID: string, recordingID: string, accountID: string) => request<undefined>('DELETE', `${recordingPath(meetingID, recordingID)}/shares/${id(accountID)}`)
const holdPath = (postID: string, meetingID: string, recordingID: string) => `/posts/${id(postID)}${recordingPath(meetingID, recordingID)}/hold`
/** Nothing deletes it until that is lifted. */
export const holdRecording = (postID: string, meetingID: string, recordingID: string, reason: string) => request<unknown>('PUT', holdPath(postID, meetingID, recordingID), { body: { reason } })
export const liftHold = (postID: string, meetingID: string, recordingID: string) => request<undefined>('DELETE', holdPath(postID, meetingID, recordingID))
/** The address of a recording's film, and of who speaks when in it: the server gives them piece by piece, and writes down who watches. */
export const film = (meetingID: string, recordingID: string) => `/api/v1${recordingPath(meetingID, recordingID)}/film`
export const filmCaptions = (meetingID: string, recordingID: string) => `${film(meetingID, recordingID)}/captions`
/** The address of the film as a file, which is not encrypted. */
export const filmToSave = (meetingID: string, recordingID: string) => `${film(meetingID, recordingID)}?save=true`
export const filmChapters = (meetingID: string, recordingID: string) => request<{ chapters: FilmChapter[] }>('GET', `${recordingPath(meetingID, recordingID)}/film/chapters`).then((answer) => answer.chapters)
/** Has the film made in another layout or format, in place of the one that is there. */
export const chooseFilm = (meetingID: string, recordingID: string, draft: FilmDraft) => request<Film>('PUT', `${recordingPath(meetingID, recordingID)}/film`, { body: draft })
export const filmAgain = (meetingID: string, recordingID: string) => request<Film>('POST', `${recordingPath(meetingID, recordingID)}/film/again`)
/** The address of the key that verifies recordings. */
export const nodeKey = '/api/v1/node-key'

export const links = (meetingID: string) => request<{ links: Link[] }>('GET', `/meetings/${id(meetingID)}/links`).then((answer) => answer.links)
export const createLink = (meetingID: string, body: LinkDraft) => request<Link>('POST', `/meetings/${id(meetingID)}/links`, { body })
/** All or none, in the order of the drafts. */
export const createLinks = (meetingID: string, links: LinkDraft[]) => request<{ links: Link[] }>('POST', `/meetings/${id(meetingID)}/links/bulk`, { body: { links } }).then((answer) => answer.links)
/** Reads a list of guests in CSV and creates nothing. */
export const checkGuestList = (meetingID: string, csv: Blob) => request<GuestList>('POST', `/meetings/${id(meetingID)}/links/check`, { csv })
export const revokeAllLinks = (meetingID: string) => request<{ links: Link[] }>('POST', `/meetings/${id(meetingID)}/links/revoke-all`).then((answer) => answer.links)
const linkPath = (meetingID: string, linkID: string) => `/meetings/${id(meetingID)}/links/${id(linkID)}`
export const revokeLink = (meetingID: string, linkID: string) => request<Link>('POST', `${linkPath(meetingID, linkID)}/revoke`)
export const reissueLink = (meetingID: string, linkID: string, body: Reissue) => request<Link>('POST', `${linkPath(meetingID, linkID)}/reissue`, { body })
export const extendLink = (meetingID: string, linkID: string, expiresAt: string) => request<Link>('POST', `${linkPath(meetingID, linkID)}/extend`, { body: { expires_at: expiresAt } })
/** An empty hash takes the PIN away. */
export const setLinkPIN = (meetingID: string, linkID: string, pinHash: string) => request<Link>('PUT', `${linkPath(meetingID, linkID)}/pin`, { body: { pin_hash: pinHash } })
export const linkUses = (meetingID: string, linkID: string) => request<{ uses: LinkUse[] }>('GET', `${linkPath(meetingID, linkID)}/uses`).then((answer) => answer.uses)

const knockPath = (meetingID: string, knockID: string) => `/meetings/${id(meetingID)}/knocks/${id(knockID)}`
/** Without permissions: everything. */
export const admit = (meetingID: string, knockID: string, permissions?: Permissions) => request<Knock>('POST', `${knockPath(meetingID, knockID)}/admit`, { body: permissions ? { permissions } : {} })
/** keepalive: the refusal must reach the server even when the host's page is closing. */
export const deny = (meetingID: string, knockID: string, message = '', keepalive = false) => request<Knock>('POST', `${knockPath(meetingID, knockID)}/deny`, { body: message ? { message } : {}, keepalive })
/** Out until it is lifted: whoever has the personal link, or the browser behind a shared one. */
export const ban = (meetingID: string, knockID: string) => request<Knock>('POST', `${knockPath(meetingID, knockID)}/ban`, { body: {} })
export const write = (meetingID: string, knockID: string, text: string) => request<Knock>('POST', `${knockPath(meetingID, knockID)}/messages`, { body: { text } })
/** To everybody who waits; answers whom it reached. */
export const writeAll = (meetingID: string, text: string) => request<{ knocks: Knock[] }>('POST', `/meetings/${id(meetingID)}/knocks/messages`, { body: { text } })
/** A refused, removed or banned guest may knock again. */
export const lift = (meetingID: string, knockID: string) => request<Knock>('POST', `${knockPath(meetingID, knockID)}/lift`)
export const admitAll = (meetingID: string, except: string[]) => request<{ knocks: Knock[] }>('POST', `/meetings/${id(meetingID)}/knocks/admit-all`, { body: { except } })
export const removeParticipant = (meetingID: string, identity: string) => request<undefined>('POST', `/meetings/${id(meetingID)}/participants/${id(identity)}/remove`)
/** From the call back to the lobby; no new knock is needed. */
export const sendBack = (meetingID: string, identity: string) => request<Knock>('POST', `/meetings/${id(meetingID)}/participants/${id(identity)}/send-back`)
export const permit = (meetingID: string, identity: string, body: Permissions) => request<Permitted>('PUT', `/meetings/${id(meetingID)}/participants/${id(identity)}/permissions`, { body })

const callPath = (meetingID: string) => `/meetings/${id(meetingID)}/call`
const inCall = (meetingID: string, identity: string) => `${callPath(meetingID)}/participants/${id(identity)}`
export const mute = (meetingID: string, identity: string) => request<undefined>('POST', `${inCall(meetingID, identity)}/mute`)
export const askUnmute = (meetingID: string, identity: string) => request<undefined>('POST', `${inCall(meetingID, identity)}/ask-unmute`)
export const stopCamera = (meetingID: string, identity: string) => request<undefined>('POST', `${inCall(meetingID, identity)}/stop-camera`)
export const stopShare = (meetingID: string, identity: string) => request<undefined>('POST', `${inCall(meetingID, identity)}/stop-share`)
export const muteAll = (meetingID: string) => request<undefined>('POST', `${callPath(meetingID)}/mute`)
export const askUnmuteAll = (meetingID: string) => request<undefined>('POST', `${callPath(meetingID)}/ask-unmute`)
/** What is left out stays as it is. */
export const permitAll = (meetingID: string, body: RightsForAll) => request<undefined>('PUT', `${callPath(meetingID)}/permissions`, { body })
export const spotlight = (meetingID: string, identities: readonly string[]) => request<undefined>('PUT', `${callPath(meetingID)}/spotlight`, { body: { identities } })
export const lock = (meetingID: string, locked: boolean) => request<undefined>('PUT', `${callPath(meetingID)}/lock`, { body: { locked } })
