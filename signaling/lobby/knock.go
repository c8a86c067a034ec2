package lobby

import (
	"cmp"
	"errors"
	"time"

	"aparte/signaling/link"
	"aparte/signaling/name"
)

// Status is where a knock stands.
//
//	          ┌── admit ──▶ admitted ── remove ─▶ denied ─┐
//	knock ─▶ waiting ◀─ send back ─┘                       │
//	  ▲       ├── deny ─────────────────────────▶ denied ──┤
//	  │       ├── withdraw ─▶ withdrawn ─┐                 │
//	  │       └── time, end, revoke ─▶ expired ◀── lift ───┘
//	  └──────────── knock again ─────────┴── (withdrawn, expired)
//
// A ban makes a knock denied from any state, and is lifted like a denial. An agent who
// is removed is expired, not denied: colleagues may knock again.
type Status string

// The states of a knock.
const (
	Waiting   Status = "waiting"
	Admitted  Status = "admitted"
	Denied    Status = "denied"
	Withdrawn Status = "withdrawn"
	Expired   Status = "expired"
)

// Session is a guest's browser tab after it opened a link. It is no admission.
type Session struct {
	ID        string
	Meeting   string
	Link      string
	TokenHash [32]byte // SHA-256 of the token the tab holds
	CreatedAt time.Time
	ExpiresAt time.Time

	Issue     int            // of the link when it was opened
	PublicKey link.PublicKey // of the browser, since its first knock; zero: not bound
	PINPassed bool
}

// SessionLife is how long a lobby session lives that nobody renews.
const SessionLife = 24 * time.Hour

// Permissions are what a host gives with an admission.
type Permissions struct{ Speak, Camera, Share, Chat, Files bool }

// Everything is the admission without restriction.
func Everything() Permissions {
	return Permissions{Speak: true, Camera: true, Share: true, Chat: true, Files: true}
}

// Knock is a request to enter: a guest's, who came by a link, or an agent's. A session
// has one at most, and so has an account; it keeps its id when they knock again.
type Knock struct {
	ID      string
	Meeting string
	// Session and Link are a guest's, Account is an agent's.
	Session      string
	Link         string
	Account      string
	Status       Status
	Place        int64 // order of arrival in the meeting
	Name         string
	Organisation string
	Since        time.Time // when the guest (last) began to wait

	DecidedAt     time.Time
	DecidedBy     string // account
	DecidedByName string
	Message       string // with a denial, for the guest
	RemovedAt     time.Time
	BannedAt      time.Time
	SentBackAt    time.Time // waiting: when a host sent the guest back from the call
	// ExpiresAt is when the waiting of an agent ends that nobody renews; a guest's ends
	// with the session.
	ExpiresAt time.Time
	// UntilLeft: admitted without having knocked, because the agent was in the call when
	// it began to be necessary. It ends when they leave.
	UntilLeft bool

	// Admission is the id of the grant that media tokens name; Identity is what
	// others see. Neither leads to the other. Agents have neither: their tokens name a
	// seat, which is nothing without the admission.
	Admission   string
	Identity    string
	Permissions Permissions
}

// NameDiffers reports whether the name typed is not the one invited.
func (k Knock) NameDiffers(l link.Link) bool {
	return !k.OfAgent() && l.GuestName != "" && name.Differs(k.Name, l.GuestName)
}

// NameSuspicious reports whether the name or the organisation can deceive the eye. An
// agent's name is that of the account, which nobody typed to come in.
func (k Knock) NameSuspicious(l link.Link) bool {
	if k.OfAgent() {
		return false
	}
	return name.Suspicious(k.Name) || name.Suspicious(k.Organisation) || l.GuestName != "" && name.Imitates(k.Name, l.GuestName)
}

// Why something in the lobby is refused.
var (
	ErrNoSession = errors.New("no such lobby session, or it has expired")
	ErrNoKnock   = errors.New("no such knock")
	ErrState     = errors.New("not possible in the knock's present state")
	ErrDenied    = errors.New("the request to enter was denied")
	ErrCrowded   = errors.New("too many guests are waiting")
)

// TooSoonError says how long a guest has to wait before knocking again.
type TooSoonError struct{ Wait time.Duration }

func (e *TooSoonError) Error() string { return "knocked too often, wait " + e.Wait.String() }

// Who is whose knock it is: a session or an account. Ids are random, so that none is
// both.
func (k Knock) Who() string { return cmp.Or(k.Account, k.Session) }

// OfAgent tells whether it is an agent's.
func (k Knock) OfAgent() bool { return k.Account != "" }

// past reports whether the knock ended before a host decided anything about it.
func (k Knock) past() bool {
	return (k.Status == Withdrawn || k.Status == Expired) && k.DecidedBy == ""
}

// decide records who took a decision.
func (k Knock) decide(status Status, by Host, now time.Time) Knock {
	k.Status = status
	k.DecidedAt, k.DecidedBy, k.DecidedByName = now, by.Account, by.Name
	return k
}

// Host is who decides.
type Host struct{ Account, Name string }

func (k Knock) admit(by Host, p Permissions, admission, identity string, now time.Time) (Knock, error) {
	switch k.Status {
	case Admitted: // two hosts pressed at once: the first one counts
		return k, nil
	case Waiting:
		k = k.decide(Admitted, by, now)
		if !k.OfAgent() {
			k.Admission = admission
			k.Identity = cmp.Or(k.Identity, identity) // who was sent back comes in again as the same participant
		}
		k.Permissions, k.SentBackAt = p, time.Time{}
		return k, nil
	default:
		return k, ErrState
	}
}

func (k Knock) deny(by Host, message string, now time.Time) (Knock, error) {
	switch k.Status {
	case Denied:
		return k, nil
	case Waiting:
		k = k.decide(Denied, by, now)
		k.Message, k.SentBackAt = message, time.Time{}
		return k, nil
	default:
		return k, ErrState
	}
}

// remove ends an admission: the grant is gone, the knock denied.
func (k Knock) remove(by Host, now time.Time) (Knock, error) {
	if k.Status != Admitted {
		return k, ErrState
	}
	k = k.decide(Denied, by, now)
	k.RemovedAt = now
	k.Admission = ""
	return k, nil
}

// lift allows a denied guest to knock again; it admits nobody.
func (k Knock) lift(by Host, now time.Time) (Knock, error) {
	if k.Status != Denied {
		return k, ErrState
	}
	k = k.decide(Expired, by, now)
	k.Message, k.RemovedAt, k.BannedAt = "", time.Time{}, time.Time{}
	return k, nil
}

func (k Knock) withdraw() (Knock, error) {
	switch k.Status {
	case Withdrawn:
		return k, nil
	case Waiting:
		k.Status, k.SentBackAt = Withdrawn, time.Time{}
		return k, nil
	default:
		return k, ErrState
	}
}

// lapse ends waiting, or an admission, without anybody's judgement on the guest.
func (k Knock) lapse() Knock {
	k.Status = Expired
	k.Admission, k.SentBackAt, k.UntilLeft = "", time.Time{}, false
	return k
}

// again begins to wait: first knock, or one more after withdrawn or expired.
func (k Knock) again(called, organisation string, place int64, now time.Time) Knock {
	return Knock{
		ID: k.ID, Meeting: k.Meeting, Session: k.Session, Link: k.Link, Account: k.Account,
		Status: Waiting, Place: place, Name: called, Organisation: organisation, Since: now,
	}
}
