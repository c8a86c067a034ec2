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
}

// SignedIn is who is signed in.
type SignedIn struct {
	Account Account `json:"account"`
}

// AccountDraft is an account to create.
type AccountDraft struct {
	Name  string `json:"name" minLength:"1" maxLength:"200"`
	Email string `json:"email" minLength:"3" maxLength:"254"`
}

// AccountList is every account.
type AccountList struct {
	Accounts []Account `json:"accounts" nullable:"false"`
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
	Title    string     `json:"title" minLength:"1" maxLength:"200"`
	StartsAt *time.Time `json:"starts_at,omitempty"`
	EndsAt   *time.Time `json:"ends_at,omitempty"`
}

// MeetingList is the meetings one hosts, newest first.
type MeetingList struct {
	Meetings []Meeting `json:"meetings" nullable:"false"`
}

// LinkDraft is a guest link to create.
type LinkDraft struct {
	Kind         string     `json:"kind" enum:"personal,shared"`
	Label        string     `json:"label,omitempty" maxLength:"200"`
	GuestName    string     `json:"guest_name,omitempty" maxLength:"200" doc:"Required for a personal link."`
	Organisation string     `json:"organisation,omitempty" maxLength:"200"`
	MaxUses      int        `json:"max_uses,omitempty" minimum:"0" maximum:"1000" doc:"For a shared link, 1 to 1000; absent or 0: no cap."`
	ValidFrom    *time.Time `json:"valid_from,omitempty"`
	ExpiresAt    time.Time  `json:"expires_at"`
	CodeHash     string     `json:"code_hash" minLength:"43" maxLength:"43" doc:"base64url, without padding, of the SHA-256 of the 32 bytes of the redemption code."`
}

// LinkList is the links of a meeting, newest first.
type LinkList struct {
	Links []Link `json:"links" nullable:"false"`
}

// KnockList is the knocks of a meeting in their order of arrival.
type KnockList struct {
	Knocks []Knock `json:"knocks" nullable:"false"`
}

// Admit is a host's decision to let somebody in.
type Admit struct {
	Permissions *Permissions `json:"permissions,omitempty" doc:"Absent: everything."`
}

// Deny is a host's decision to refuse somebody.
type Deny struct {
	Message string `json:"message,omitempty" maxLength:"500" doc:"Shown to the guest."`
}

// AdmitAll lets everybody in who waits.
type AdmitAll struct {
	Except []string `json:"except,omitempty" maxItems:"1000" nullable:"false" doc:"Ids of knocks that stay waiting."`
}

// Redeem is a guest opening a link.
type Redeem struct {
	LinkID string `json:"link_id" maxLength:"100"`
	Code   string `json:"code" maxLength:"100" doc:"The redemption code, derived from the secret in the link's fragment."`
}

// Redeemed is a lobby session. Keep it in sessionStorage.
type Redeemed struct {
	Session string    `json:"session" doc:"Sent as Authorization: Bearer, and as the lobby socket's first frame."`
	Guest   GuestView `json:"guest"`
}

// GuestName is what a guest says when knocking.
type GuestName struct {
	Name         string `json:"name" minLength:"1" maxLength:"200"`
	Organisation string `json:"organisation,omitempty" maxLength:"200"`
}

// Empty is the body of calls that need none.
type Empty struct{}
