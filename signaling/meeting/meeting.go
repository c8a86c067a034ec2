// Package meeting holds the rules of meetings and every live meeting of this
// process. Start at Meetings, which finds the live meeting of a call; live.go is
// the goroutine that owns one; hosting.go and visiting.go are what hosts and
// guests ask of it.
//
// The order of everything that matters is: decide in memory, make it durable,
// then tell (the caller, the sockets, the media). Nobody sees an undurable state.
package meeting

import (
	"errors"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/name"
	"aparte/signaling/role"
)

// State is where a meeting stands: scheduled → open → ended.
type State string

// The states of a meeting.
const (
	Scheduled State = "scheduled"
	Open      State = "open"
	Ended     State = "ended"
)

// Standard is the security profile of every meeting so far.
const Standard = "standard"

// Person is a host: the organiser or a co-host.
type Person struct{ Account, Name string }

// Meeting is a meeting. Times are zero where absent.
type Meeting struct {
	ID        string
	Title     string
	State     State
	Organiser Person
	CoHosts   []Person
	Profile   string
	StartsAt  time.Time
	EndsAt    time.Time
	CreatedAt time.Time
	OpenedAt  time.Time
	EndedAt   time.Time

	Locked    bool   // nobody new comes in
	Forbidden Rights // to all but hosts
}

// Why something about a meeting is refused.
var (
	ErrNotFound    = errors.New("no such meeting, or not yours")
	ErrEnded       = errors.New("meeting has ended")
	ErrLocked      = errors.New("meeting is locked")
	ErrNotAdmitted = errors.New("not admitted")
	ErrUnavailable = errors.New("meetings are not available")
)

// Draft is what an agent says about a meeting to be.
type Draft struct {
	Title    string
	StartsAt time.Time
	EndsAt   time.Time
}

// New checks a draft and makes the meeting. A refusal is a *name.Error.
func New(d Draft, id string, organiser Person, now time.Time) (Meeting, error) {
	title, err := name.Required("title", d.Title, name.MaxTitle)
	if err != nil {
		return Meeting{}, err
	}
	switch {
	case d.StartsAt.IsZero() && !d.EndsAt.IsZero():
		return Meeting{}, &name.Error{At: "starts_at", Reason: "is required with an end"}
	case !d.EndsAt.IsZero() && !d.EndsAt.After(d.StartsAt):
		return Meeting{}, &name.Error{At: "ends_at", Reason: "must be after the start"}
	case !d.EndsAt.IsZero() && !d.EndsAt.After(now):
		return Meeting{}, &name.Error{At: "ends_at", Reason: "must be in the future"}
	case d.StartsAt.After(now.AddDate(5, 0, 0)):
		return Meeting{}, &name.Error{At: "starts_at", Reason: "must be within five years"}
	}
	return Meeting{
		ID: id, Title: title, State: Scheduled, Organiser: organiser, Profile: Standard,
		StartsAt: d.StartsAt, EndsAt: d.EndsAt, CreatedAt: now,
	}, nil
}

// Role is an account's role in the meeting, and as whom; false if it has none.
func (m Meeting) Role(account string) (role.Role, Person, bool) {
	if m.Organiser.Account == account {
		return role.Host, m.Organiser, account != ""
	}
	for _, p := range m.CoHosts {
		if p.Account == account {
			return role.Cohost, p, account != ""
		}
	}
	return "", Person{}, false
}

// hosts are the accounts that host the meeting.
func (m Meeting) hosts() []string {
	all := []string{m.Organiser.Account}
	for _, p := range m.CoHosts {
		all = append(all, p.Account)
	}
	return all
}

// Open opens a scheduled meeting; an open one stays as it is.
func (m Meeting) Open(now time.Time) (Meeting, error) {
	switch m.State {
	case Ended:
		return m, ErrEnded
	case Scheduled:
		m.State, m.OpenedAt = Open, now
	}
	return m, nil
}

// End ends a meeting for good; ending twice keeps the first time.
func (m Meeting) End(now time.Time) Meeting {
	if m.State != Ended {
		m.State, m.EndedAt = Ended, now
	}
	return m
}

// Seat is the grant of a host's place in a meeting: one for each of the agent's
// sessions, so that a reload comes back as the same participant.
type Seat struct {
	ID        string // what media tokens name
	Meeting   string
	Account   string
	Session   string // the agent's session; the seat dies with it
	Identity  string // what others see
	CreatedAt time.Time
}

// Summary is a meeting with the figures shown beside it.
type Summary struct {
	Meeting
	Waiting int // guests in the lobby
	Present int // participants in the call
}

// Participant is somebody in the call.
type Participant struct {
	Identity string
	Name     string
	Role     role.Role
	sid      string // of the connection
	actor    audit.Actor
}

// Agent is who calls: an account through one of its sessions.
type Agent struct {
	Account string
	Name    string
	Session string
}
