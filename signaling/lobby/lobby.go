// Package lobby holds the rules of the lobby: guests' sessions, knocks, and the
// hosts' decisions on them. Start at the states in knock.go, then Lobby.Knock
// and Lobby.Admit.
//
// The lobby is a gate: the only thing that leads to a meeting's media is a knock
// in the state admitted, and only Admit, called for a host, makes one.
//
// A Lobby is a value in memory that one goroutine owns. It decides; whoever owns
// it makes the decisions durable (Changes) before telling anybody.
package lobby

import (
	"cmp"
	"slices"
	"time"

	"aparte/signaling/link"
	"aparte/signaling/name"
)

// Limits of a lobby.
type Limits struct {
	// WaitingPerMeeting and WaitingPerLink cap who waits at a time.
	WaitingPerMeeting, WaitingPerLink int
	// IdleSessionsPerLink caps the sessions that opened a link without knocking;
	// the oldest goes.
	IdleSessionsPerLink int
}

// DefaultLimits are architecture.md's.
func DefaultLimits() Limits {
	return Limits{WaitingPerMeeting: 1000, WaitingPerLink: 20, IdleSessionsPerLink: 200}
}

// Lobby is the lobby of one meeting.
type Lobby struct {
	meeting  string
	limits   Limits
	links    map[string]link.Link
	sessions map[string]Session
	knocks   map[string]Knock  // by id
	bySess   map[string]string // session id → knock id
	place    int64             // the last one given
	changes  Changes
}

// State is everything a lobby is made from.
type State struct {
	Links    []link.Link
	Sessions []Session
	Knocks   []Knock
}

// New makes the lobby of a meeting from what was stored.
func New(meeting string, limits Limits, s State) *Lobby {
	l := &Lobby{
		meeting: meeting, limits: limits,
		links: make(map[string]link.Link), sessions: make(map[string]Session),
		knocks: make(map[string]Knock), bySess: make(map[string]string),
	}
	for _, v := range s.Links {
		l.links[v.ID] = v
	}
	for _, v := range s.Sessions {
		l.sessions[v.ID] = v
	}
	for _, v := range s.Knocks {
		l.knocks[v.ID] = v
		l.bySess[v.Session] = v.ID
		l.place = max(l.place, v.Place)
	}
	return l
}

// Changes are what must be stored before anybody hears of it.
type Changes struct {
	Links    []link.Link
	Sessions []Session
	Knocks   []Knock
	Dropped  []string // sessions to delete
}

// Empty reports whether nothing changed.
func (c Changes) Empty() bool {
	return len(c.Links) == 0 && len(c.Sessions) == 0 && len(c.Knocks) == 0 && len(c.Dropped) == 0
}

// Changes returns what changed since the last call, in order.
func (l *Lobby) Changes() Changes {
	c := l.changes
	l.changes = Changes{}
	return c
}

func (l *Lobby) setLink(v link.Link) {
	l.links[v.ID] = v
	l.changes.Links = append(l.changes.Links, v)
}

func (l *Lobby) setKnock(v Knock) {
	l.knocks[v.ID] = v
	l.bySess[v.Session] = v.ID
	l.changes.Knocks = append(l.changes.Knocks, v)
}

// AddLink adds a new link.
func (l *Lobby) AddLink(v link.Link) { l.setLink(v) }

// Links are the meeting's links, newest first.
func (l *Lobby) Links() []link.Link {
	all := make([]link.Link, 0, len(l.links))
	for _, v := range l.links {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b link.Link) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// Link returns a link of the meeting.
func (l *Lobby) Link(id string) (link.Link, bool) {
	v, ok := l.links[id]
	return v, ok
}

// Knocks are the meeting's knocks in order of arrival.
func (l *Lobby) Knocks() []Knock {
	all := make([]Knock, 0, len(l.knocks))
	for _, v := range l.knocks {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b Knock) int { return cmp.Compare(a.Place, b.Place) })
	return all
}

// WaitingCount is how many guests wait.
func (l *Lobby) WaitingCount() int {
	n, _ := l.waiting("")
	return n
}

// waiting counts who waits in all and by one link.
func (l *Lobby) waiting(linkID string) (all, byLink int) {
	for _, k := range l.knocks {
		if k.Status == Waiting {
			all++
			if k.Link == linkID {
				byLink++
			}
		}
	}
	return all, byLink
}

// Enter makes a session for somebody who proved to hold the link's secret. It
// uses nothing up.
func (l *Lobby) Enter(linkID, session string, tokenHash [32]byte, now time.Time) (Session, error) {
	v, ok := l.links[linkID]
	if !ok {
		return Session{}, link.ErrUnknown
	}
	if err := v.Usable(session, false, now); err != nil {
		return Session{}, err
	}
	l.dropIdle(linkID, now)
	s := Session{ID: session, Meeting: l.meeting, Link: linkID, TokenHash: tokenHash, CreatedAt: now, ExpiresAt: now.Add(SessionLife)}
	l.sessions[s.ID] = s
	l.changes.Sessions = append(l.changes.Sessions, s)
	return s, nil
}

// dropIdle makes room for one more session that has not knocked.
func (l *Lobby) dropIdle(linkID string, now time.Time) {
	var idle []Session
	for _, s := range l.sessions {
		if s.Link == linkID && l.bySess[s.ID] == "" {
			idle = append(idle, s)
		}
	}
	slices.SortFunc(idle, func(a, b Session) int { return a.CreatedAt.Compare(b.CreatedAt) })
	for i, s := range idle {
		if now.Before(s.ExpiresAt) && len(idle)-i < l.limits.IdleSessionsPerLink {
			return
		}
		delete(l.sessions, s.ID)
		l.changes.Dropped = append(l.changes.Dropped, s.ID)
	}
}

// Session returns a live session.
func (l *Lobby) Session(id string, now time.Time) (Session, error) {
	s, ok := l.sessions[id]
	if !ok || !now.Before(s.ExpiresAt) {
		return Session{}, ErrNoSession
	}
	return s, nil
}

// KnockOf returns a session's knock, if it ever knocked.
func (l *Lobby) KnockOf(session string) (Knock, bool) {
	k, ok := l.knocks[l.bySess[session]]
	return k, ok
}

// Knock asks to enter. newID becomes the knock's id if the session never
// knocked. A session that waits or is admitted keeps what it has, its name
// included: a name must not change between the host's look and the host's press.
func (l *Lobby) Knock(session, newID, typedName, typedOrganisation string, now time.Time) (Knock, error) {
	s, err := l.Session(session, now)
	if err != nil {
		return Knock{}, err
	}
	v, ok := l.links[s.Link]
	if !ok || v.Revoked() {
		return Knock{}, link.ErrRevoked
	}
	k, knocked := l.KnockOf(session)
	if knocked {
		switch k.Status {
		case Waiting, Admitted:
			return k, nil
		case Denied:
			return Knock{}, ErrDenied
		}
	}
	called, err := name.Required("name", typedName, name.MaxName)
	if err != nil {
		return Knock{}, err
	}
	organisation, err := name.Optional("organisation", typedOrganisation, name.MaxName)
	if err != nil {
		return Knock{}, err
	}
	if err := v.Usable(session, knocked, now); err != nil {
		return Knock{}, err
	}
	if all, byLink := l.waiting(v.ID); all >= l.limits.WaitingPerMeeting || byLink >= l.limits.WaitingPerLink {
		return Knock{}, ErrCrowded
	}
	if !knocked {
		k = Knock{ID: newID, Meeting: l.meeting, Session: session, Link: v.ID}
		l.setLink(v.Use(session))
	}
	l.place++
	k = k.again(called, organisation, l.place, now)
	l.setKnock(k)
	return k, nil
}

// Withdraw stops waiting.
func (l *Lobby) Withdraw(session string, now time.Time) (Knock, error) {
	if _, err := l.Session(session, now); err != nil {
		return Knock{}, err
	}
	k, ok := l.KnockOf(session)
	if !ok {
		return Knock{}, ErrState
	}
	return l.change(k.ID, Knock.withdraw)
}
