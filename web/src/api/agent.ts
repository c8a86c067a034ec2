// The calls an agent makes; the cookie says who it is.
import { request } from './http'
import type { Account, AccountDraft, InvitedAccount, Knock, Link, LinkDraft, MediaGrant, Meeting, MeetingDraft, Setup } from './types'

type WithAccount = { account: Account }
const id = encodeURIComponent

export const session = () => request<WithAccount>('GET', '/session').then((answer) => answer.account)
export const signIn = (email: string, password: string) => request<WithAccount>('POST', '/session', { body: { email, password } }).then((answer) => answer.account)
export const signInOnce = (code: string) => request<WithAccount>('POST', '/session/one-time', { body: { code } }).then((answer) => answer.account)
export const signOut = () => request<undefined>('DELETE', '/session')
export const setUp = (body: Setup) => request<WithAccount>('POST', '/setup', { body }).then((answer) => answer.account)

export const changePassword = (password: string, current: string) => request<undefined>('PUT', '/account/password', { body: current ? { password, current } : { password } })

export const accounts = () => request<{ accounts: Account[] }>('GET', '/accounts').then((answer) => answer.accounts)
export const createAccount = (body: AccountDraft) => request<InvitedAccount>('POST', '/accounts', { body })

export const meetings = () => request<{ meetings: Meeting[] }>('GET', '/meetings').then((answer) => answer.meetings)
export const meeting = (meetingID: string) => request<Meeting>('GET', `/meetings/${id(meetingID)}`)
export const createMeeting = (body: MeetingDraft) => request<Meeting>('POST', '/meetings', { body })
export const joinMeeting = (meetingID: string) => request<MediaGrant>('POST', `/meetings/${id(meetingID)}/join`, { body: {} })
export const endMeeting = (meetingID: string) => request<Meeting>('POST', `/meetings/${id(meetingID)}/end`)

export const links = (meetingID: string) => request<{ links: Link[] }>('GET', `/meetings/${id(meetingID)}/links`).then((answer) => answer.links)
export const createLink = (meetingID: string, body: LinkDraft) => request<Link>('POST', `/meetings/${id(meetingID)}/links`, { body })
export const revokeLink = (meetingID: string, linkID: string) => request<Link>('POST', `/meetings/${id(meetingID)}/links/${id(linkID)}/revoke`)

const knockPath = (meetingID: string, knockID: string) => `/meetings/${id(meetingID)}/knocks/${id(knockID)}`
export const admit = (meetingID: string, knockID: string) => request<Knock>('POST', `${knockPath(meetingID, knockID)}/admit`, { body: {} })
/** keepalive: the refusal must reach the server even when the host's page is closing. */
export const deny = (meetingID: string, knockID: string, keepalive = false) => request<Knock>('POST', `${knockPath(meetingID, knockID)}/deny`, { body: {}, keepalive })
/** A refused or removed guest may knock again. */
export const lift = (meetingID: string, knockID: string) => request<Knock>('POST', `${knockPath(meetingID, knockID)}/lift`)
export const admitAll = (meetingID: string, except: string[]) => request<{ knocks: Knock[] }>('POST', `/meetings/${id(meetingID)}/knocks/admit-all`, { body: { except } })
export const removeParticipant = (meetingID: string, identity: string) => request<undefined>('POST', `/meetings/${id(meetingID)}/participants/${id(identity)}/remove`)
