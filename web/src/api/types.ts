// The server's own words, from the types generated from its OpenAPI document (npm run api).
import type { components } from './schema'

type Schemas = components['schemas']

export type Account = Schemas['Account']
export type AccountDraft = Schemas['AccountDraft']
export type InvitedAccount = Schemas['InvitedAccount']
export type Meeting = Schemas['Meeting']
export type Link = Schemas['Link']
export type Knock = Schemas['Knock']
export type Participant = Schemas['Participant']
export type GuestView = Schemas['GuestView']
export type MediaGrant = Schemas['MediaToken']
export type Knocking = Schemas['GuestName']
export type ReturnProof = Schemas['ReturnProof']
export type LinkUse = Schemas['LinkUse']
export type GuestList = Schemas['GuestList']
export type ListedGuest = Schemas['ListedGuest']
export type LinkDraft = Schemas['LinkDraft']
export type MeetingDraft = Schemas['MeetingDraft']
export type Setup = Schemas['Setup']
export type HostMessage = Schemas['HostMessage']
export type GuestMessage = Schemas['GuestMessage']
