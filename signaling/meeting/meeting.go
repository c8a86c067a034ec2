// Package meeting holds the rules of meetings and every live meeting of this
// process. Start at Meetings, which finds the live meeting of a call; live.go is
// the goroutine that owns one; hosting.go and visiting.go are what hosts and
// guests ask of it.
//
// The order of everything that matters is: decide in memory, make it durable,
// then tell (the caller, the sockets, the media). Nobody sees an undurable state.
package meeting

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/lobby"
	"aparte/signaling/profile"
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

// Person is an agent in a meeting: the organiser, who is its host, or a member.
type Person struct{ Account, Name string }

// Member is an agent who was named: cohost, participant or observer.
type Member struct {
	Person
	Role role.Role
	// Forbidden is what a host has forbidden this agent: of Speak, Camera, Share, Chat and Files.
	// It holds until a host allows it, or names the agent co-host.
	Forbidden Rights
	// Writes: a host has allowed this observer the chat.
	Writes bool
}

// Permissions are what the agent may do in the call, without what is forbidden to all.
func (v Member) Permissions() lobby.Permissions {
	p := v.Forbidden.from(permissionsOf(v.Role))
	if v.Role == role.Observer {
		p.Chat = v.Writes && !v.Forbidden.Chat
	}
	return p
}

// permitted is the member with permissions as a host gives them. An observer is given
// the chat or not; whatever else was forbidden stays so, should another role follow.
func (v Member) permitted(p lobby.Permissions) Member {
	if v.Role == role.Observer {
		v.Writes = p.Chat
		v.Forbidden.Chat = v.Forbidden.Chat && !p.Chat
		return v
	}
	v.Forbidden = Rights{Speak: !p.Speak, Camera: !p.Camera, Share: !p.Share, Chat: !p.Chat, Files: !p.Files}
	return v
}

// Meeting is a meeting. Times are zero where absent.
type Meeting struct {
	ID        string
	Post      string // id
	Title     string
	State     State
	Organiser Person
	Members   []Member // without the organiser, in the order of their names
	Profile   string   // id of the security profile
	// ProfileVersion is the version of it that the meeting has taken up.
	ProfileVersion int
	StartsAt       time.Time
	EndsAt         time.Time
	// Permanent: it has no schedule, and what ends is one sitting after the other. Only
	// the host ends it for good.
	Permanent bool
	// Revision counts the changes of what a calendar shows, from 0 (RFC 5545, SEQUENCE).
	Revision  int
	CreatedAt time.Time
	OpenedAt  time.Time
	EndedAt   time.Time
	// HostlessSince is when the last host left the call; zero: one is in it, or none was yet.
	HostlessSince time.Time
	// Acting are the accounts that act for the post. Nobody else has a role in the
	// meeting, whatever they were named. A new map for each change.
	Acting map[string]bool

	Locked    bool   // nobody new comes in
	Forbidden Rights // to all but hosts
}

// Why something about a meeting is refused.
var (
	ErrNotFound    = errors.New("no such meeting, or not yours")
	ErrEnded       = errors.New("meeting has ended")
	ErrLocked      = errors.New("meeting is locked")
	ErrNotAdmitted = errors.New("not admitted")
	ErrNotOpen     = errors.New("meeting is not open yet: a host opens it by coming in")
	ErrMustKnock   = errors.New("everybody but hosts waits in this meeting's lobby: ask to enter")
	ErrNoHost      = errors.New("no host is in the meeting: nobody comes in until one is back")
	ErrNoAccount   = errors.New("no account of your post has this address")
	ErrNoMember    = errors.New("nobody of that id is named")
	ErrMembers     = errors.New("no room for another member")
	ErrOfHost      = errors.New("this is the host, who hands over instead")
	ErrNotCohost   = errors.New("only a co-host can become the host")
	ErrOfGuest     = errors.New("a guest can be neither host nor co-host: only agents are named")
	ErrUnavailable = errors.New("meetings are not available")
)

// Draft is what an agent says about a meeting to be.
type Draft struct {
	Post     string // id; "": the only one that the agent acts for
	Title    string
	StartsAt time.Time
	EndsAt   time.Time
	Profile  string // id of the security profile; "": the standard one
	// Permanent has neither start nor end.
	Permanent bool
}

// New checks a draft and makes the meeting under a profile. A refusal is a *name.Error
// or a *profile.UnavailableError.
func New(d Draft, id string, organiser Person, under profile.Profile, now time.Time) (Meeting, error) {
	made := Meeting{
		ID: id, Post: d.Post, State: Scheduled, Organiser: organiser, Profile: under.ID, ProfileVersion: under.Version, CreatedAt: now,
	}
	made, err := made.said(d.Said(), now)
	if err != nil {
		return Meeting{}, err
	}
	return made, made.suits(under)
}

// Role is an account's role in the meeting, and as whom; false if it has none.
func (m Meeting) Role(account string) (role.Role, Person, bool) {
	if !m.Acting[account] {
		return "", Person{}, false
	}
	if m.Organiser.Account == account {
		return role.Host, m.Organiser, account != ""
	}
	for _, p := range m.Members {
		if p.Account == account {
			return p.Role, p.Person, account != ""
		}
	}
	return "", Person{}, false
}

// member is an agent who was named, the organiser too.
func (m Meeting) member(account string) (Member, bool) {
	if m.Organiser.Account == account {
		return Member{Person: m.Organiser, Role: role.Host}, true
	}
	for _, v := range m.Members {
		if v.Account == account {
			return v, true
		}
	}
	return Member{}, false
}

// named is the meeting with an agent named, or named as something else. What was
// forbidden to the agent stays so, but for one who moderates from now on.
func (m Meeting) named(p Person, as role.Role) Meeting {
	v := Member{Person: p, Role: as}
	if before, ok := m.member(p.Account); ok && !as.Moderates() {
		v.Forbidden = before.Forbidden
	}
	return m.with(v)
}

// with is the meeting with a member, in place of what the agent was before.
func (m Meeting) with(v Member) Meeting {
	m.Members = append(m.without(v.Account).Members, v)
	slices.SortFunc(m.Members, func(a, b Member) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Account, b.Account))
	})
	return m
}

// without is the meeting with an agent named no more.
func (m Meeting) without(account string) Meeting {
	m.Members = slices.DeleteFunc(slices.Clone(m.Members), func(v Member) bool { return v.Account == account })
	return m
}

// handedOver is the meeting with another host; the one of before is co-host.
func (m Meeting) handedOver(to Person) Meeting {
	before := m.Organiser
	m = m.without(to.Account)
	m.Organiser = to
	return m.named(before, role.Cohost)
}

// hosts are the accounts that moderate the meeting.
func (m Meeting) hosts() []string {
	all := []string{m.Organiser.Account}
	for _, p := range m.Members {
		if p.Role.Moderates() {
			all = append(all, p.Account)
		}
	}
	return slices.DeleteFunc(all, func(account string) bool { return !m.Acting[account] })
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
		m.State, m.EndedAt, m.HostlessSince = Ended, now, time.Time{}
	}
	return m
}

// Seat is the grant of an agent's place in a meeting: one for each of the agent's
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
	Role    role.Role // of who asks
	Waiting int       // in the lobby, for who may see it
	Present int       // participants in the call
}

// Participant is somebody in the call.
type Participant struct {
	Identity string
	Name     string
	Role     role.Role
	Since    time.Time // when it came into the call first
	Knock    string    // id of the knock by which it was let in, for hosts; "": none was needed
	// Permissions are those that hosts gave, without what is forbidden to all; set where
	// hosts are told.
	Permissions lobby.Permissions
	may         lobby.Permissions // in the call now
	grant       string            // id of the grant by which it came
	sid         string            // of the connection
	actor       audit.Actor
}

// Agent is who calls: an account through one of its sessions.
type Agent struct {
	Account string
	Name    string
	Session string
	Posts   []string // ids of those it acts for
	// Administers are ids of those that it administers.
	Administers []string
}
