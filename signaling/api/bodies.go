package api

import "time"

// What calls take and answer besides the things themselves.

// Credentials sign a local account in.
type Credentials struct {
	Email    string `json:"email" minLength:"3" maxLength:"254"`
	Password string `json:"password" minLength:"1" maxLength:"256"`
}

// OneTimeCode signs in once.
type OneTimeCode struct {
	Code string `json:"code" minLength:"1" maxLength:"64"`
}

// Setup makes the first account.
type Setup struct {
	Code     string `json:"code" minLength:"1" maxLength:"64"`
	Name     string `json:"name" minLength:"1" maxLength:"200"`
	Email    string `json:"email" minLength:"3" maxLength:"254"`
	Password string `json:"password" minLength:"1" maxLength:"256"`

	Post *PostDraft `json:"post,omitempty" doc:"The first post; absent: one named after this program, to be edited."`
}

// SignedIn is who is signed in.
type SignedIn struct {
	Account Account `json:"account"`
}

// AccountDraft is an account to create at a post.
type AccountDraft struct {
	Name  string `json:"name" minLength:"1" maxLength:"200"`
	Email string `json:"email" minLength:"3" maxLength:"254"`
	Post  string `json:"post,omitempty" maxLength:"64" doc:"Id of a post one administers; may be absent if there is only one."`
	Role  string `json:"role,omitempty" enum:"agent,administrator,auditor" doc:"What the person is at the post; absent: agent."`
}

// InvitedAccount is a new account and the one-time link to hand to its person.
type InvitedAccount struct {
	Account   Account `json:"account"`
	InviteURL string  `json:"invite_url"`
}

// PasswordChange sets a password; the current one is needed unless the session
// began with a one-time code or there is none yet.
type PasswordChange struct {
	Password string `json:"password" minLength:"1" maxLength:"256"`
	Current  string `json:"current,omitempty" maxLength:"256"`
}

// MeetingDraft is a meeting to create.
type MeetingDraft struct {
	Post     string     `json:"post,omitempty" maxLength:"64" doc:"Id of a post one acts for; may be absent if there is only one."`
	Title    string     `json:"title" minLength:"1" maxLength:"200"`
	StartsAt *time.Time `json:"starts_at,omitempty"`
	EndsAt   *time.Time `json:"ends_at,omitempty"`
	Profile  string     `json:"profile,omitempty" maxLength:"32" doc:"Id of the security profile; absent: standard."`

	Permanent bool `json:"permanent,omitempty" doc:"Without a schedule, to be opened again and again."`
}

// MeetingEdit is what is said about a meeting from now on.
type MeetingEdit struct {
	Title     string     `json:"title" minLength:"1" maxLength:"200"`
	StartsAt  *time.Time `json:"starts_at,omitempty"`
	EndsAt    *time.Time `json:"ends_at,omitempty"`
	Permanent bool       `json:"permanent,omitempty" doc:"Without a schedule, to be opened again and again."`
}

// MeetingList is the meetings in which one has a role, newest first.
type MeetingList struct {
	Meetings []Meeting `json:"meetings" nullable:"false"`
}

// KnockList is the knocks of a meeting in their order of arrival.
type KnockList struct {
	Knocks []Knock `json:"knocks" nullable:"false"`
}

// Admit is a host's decision to let somebody in.
type Admit struct {
	Permissions *Permissions `json:"permissions,omitempty" doc:"Absent: everything, with share and files as the security profile has them."`
}

// Deny is a host's decision to refuse somebody.
type Deny struct {
	Message string `json:"message,omitempty" maxLength:"500" doc:"Shown to the guest."`
}

// Ban is a host's decision to keep somebody out for good.
type Ban struct {
	Message string `json:"message,omitempty" maxLength:"500" doc:"Shown to the guest."`
}

// LobbyText is a message between hosts and those who wait.
type LobbyText struct {
	Text string `json:"text" minLength:"1" maxLength:"500"`
}

// AdmitAll lets everybody in who waits.
type AdmitAll struct {
	Except []string `json:"except,omitempty" maxItems:"1000" nullable:"false" doc:"Ids of knocks that stay waiting."`
}

// Empty is the body of calls that need none.
type Empty struct{}
