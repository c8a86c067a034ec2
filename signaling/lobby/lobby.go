// Package lobby holds the rules of the lobby: guests' sessions, knocks, and the
// hosts' decisions on them. Start at the states in knock.go, then Lobby.Knock
// and Lobby.Admit; agents.go has agents who have to wait as guests do.
//
// The lobby is a gate: the only thing that leads to a meeting's media is a knock
// in the state admitted, and only Admit, called for a host, makes one.
//
// A Lobby is a value in memory that one goroutine owns. It decides; whoever owns
// it makes the decisions durable (Changes) before telling anybody.
package lobby

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/link"
	"aparte/signaling/name"
	"aparte/signaling/throttle"
)

// Limits of a lobby. Who holds a link's secret can open and knock without end;
// these bound what that stores and how often it rings at the hosts.
type Limits struct {
	// WaitingPerMeeting and WaitingPerLink cap who waits at a time.
	WaitingPerMeeting, WaitingPerLink int
	// PlaceHeld is how long after its knock a place of WaitingPerLink stays taken
	// by a guest who left before a host decided: or leaving and knocking anew
	// would ring without end.
	PlaceHeld time.Duration
	// KnockAgain is how often one session may knock again.
	KnockAgain throttle.Rate
	// IdleSessionsPerLink caps the sessions that opened a link without knocking,
	// PastKnocksPerLink the knocks that ended before a host decided; the oldest go.
	IdleSessionsPerLink, PastKnocksPerLink int
	// KeepPast is how long past knocks are kept after their session has expired.
	KeepPast time.Duration
	// Guesses counts wrong PINs; required where links have PINs.
	Guesses *link.Guesses
	// ThreadLength is how many messages a thread keeps, the latest; Replies is how
	// often one guest may write, HostMessages how often one host.
	ThreadLength          int
	Replies, HostMessages throttle.Rate
}

// DefaultLimits are architecture.md's, where it names them.
func DefaultLimits() Limits {
	return Limits{
		WaitingPerMeeting: 1000, WaitingPerLink: 20, PlaceHeld: time.Minute,
		KnockAgain:          throttle.Rate{Every: 30 * time.Second, Burst: 2},
		IdleSessionsPerLink: 200, PastKnocksPerLink: 50, KeepPast: 6 * time.Hour,
		ThreadLength: 50, Replies: throttle.Rate{Every: 10 * time.Second, Burst: 5},
		HostMessages: throttle.Rate{Every: time.Second, Burst: 10},
	}
}

// Lobby is the lobby of one meeting.
type Lobby struct {
	meeting  string
	limits   Limits
	links    map[string]link.Link
	sessions map[string]Session
	knocks   map[string]Knock           // by id
	byWho    map[string]string          // Knock.Who → knock id
	again    map[string]throttle.Bucket // knocks after the first, by Knock.Who
	threads  map[string]*Thread         // by knock id
	replied  map[string]throttle.Bucket // messages of who waits, by Knock.Who
	written  map[string]throttle.Bucket // messages of hosts, by account
	place    int64                      // the last one given
	tidied   time.Time                  // when Sweep last looked for what to drop
	changes  Changes
	terms    Terms

	// audit.go: who acts, when, and what of it was not told.
	actor    audit.Actor
	now      time.Time
	redeemed map[string]redemptions // by link id
}

// Terms are what a meeting's security profile asks of guest links.
type Terms interface {
	// Way is the link with its validity narrowed, or why it does not lead in.
	Way(v link.Link) (link.Link, error)
	// Grants says whether a link may be issued like this, GrantsLife whether its end
	// may be moved to where it is, GrantsPIN whether its PIN may be what it is.
	Grants(v link.Link) error
	GrantsLife(v link.Link) error
	GrantsPIN(v link.Link) error
}

// Under has the lobby let in on these terms from now on.
func (l *Lobby) Under(t Terms) { l.terms = t }

// anything are the terms of a lobby that was given none.
type anything struct{}

func (anything) Way(v link.Link) (link.Link, error) { return v, nil }
func (anything) Grants(link.Link) error             { return nil }
func (anything) GrantsLife(link.Link) error         { return nil }
func (anything) GrantsPIN(link.Link) error          { return nil }

// usable says whether somebody may come in by a link now, on the lobby's terms.
func (l *Lobby) usable(v link.Link, by link.Holder, now time.Time) error {
	if v.Revoked() {
		return link.ErrRevoked
	}
	narrowed, err := l.terms.Way(v)
	if err != nil {
		return err
	}
	return narrowed.Usable(by, now)
}

// State is everything a lobby is made from.
type State struct {
	Links    []link.Link
	Sessions []Session
	Knocks   []Knock
	Messages []Message // in the order of their threads
}

// New makes the lobby of a meeting from what was stored.
func New(meeting string, limits Limits, s State) *Lobby {
	l := &Lobby{
		meeting: meeting, limits: limits,
		links: make(map[string]link.Link), sessions: make(map[string]Session),
		knocks: make(map[string]Knock), byWho: make(map[string]string),
		again: make(map[string]throttle.Bucket), redeemed: make(map[string]redemptions),
		threads: make(map[string]*Thread), replied: make(map[string]throttle.Bucket),
		written: make(map[string]throttle.Bucket), terms: anything{},
	}
	for _, v := range s.Links {
		l.links[v.ID] = v
	}
	for _, v := range s.Sessions {
		l.sessions[v.ID] = v
	}
	for _, v := range s.Knocks {
		l.knocks[v.ID] = v
		l.byWho[v.Who()] = v.ID
		l.place = max(l.place, v.Place)
	}
	for _, v := range s.Messages {
		t := l.threads[v.Knock]
		if t == nil {
			t = new(Thread)
			l.threads[v.Knock] = t
		}
		t.Messages = append(t.Messages, v)
	}
	return l
}

// Changes are what must be stored before anybody hears of it.
type Changes struct {
	Links         []link.Link
	Sessions      []Session
	Tokens        []Token
	Knocks        []Knock
	Uses          []Use     // lines of the log, new or changed
	Messages      []Message // new ones
	Dropped       []string  // sessions to delete
	DroppedKnocks []string  // theirs, to delete before, with their threads
	Audit         []audit.Draft

	DroppedMessages []MessageID
}

// Empty reports whether nothing changed.
func (c Changes) Empty() bool {
	return len(c.Links) == 0 && len(c.Sessions) == 0 && len(c.Knocks) == 0 && len(c.Messages) == 0 && len(c.Dropped) == 0 && len(c.Audit) == 0
}

// Changes returns what changed since the last call, in order.
func (l *Lobby) Changes() Changes {
	c := l.changes
	l.changes = Changes{}
	return c
}

func (l *Lobby) setLink(v link.Link) {
	l.noteLink(l.links[v.ID], v)
	l.links[v.ID] = v
	l.changes.Links = append(l.changes.Links, v)
}

func (l *Lobby) setKnock(v Knock) {
	l.noteKnock(l.knocks[v.ID], v)
	l.knocks[v.ID] = v
	l.byWho[v.Who()] = v.ID
	l.changes.Knocks = append(l.changes.Knocks, v)
	if !v.OfAgent() {
		l.changes.Uses = append(l.changes.Uses, l.use(v))
	}
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

// WaitingCount is how many wait.
func (l *Lobby) WaitingCount() int {
	n := 0
	for _, k := range l.knocks {
		if k.Status == Waiting {
			n++
		}
	}
	return n
}

// room says whether a session may begin to wait: nil or ErrCrowded.
func (l *Lobby) room(s Session, now time.Time) error {
	all, byLink := 0, 0
	for _, k := range l.knocks {
		if k.OfAgent() {
			continue // a crowd of agents is bounded by who is named, and takes no guest's place
		}
		waits := k.Status == Waiting
		if waits {
			all++
		}
		held := k.past() && k.Session != s.ID && now.Sub(k.Since) < l.limits.PlaceHeld
		if k.Link == s.Link && (waits || held) {
			byLink++
		}
	}
	if all >= l.limits.WaitingPerMeeting || byLink >= l.limits.WaitingPerLink {
		return ErrCrowded
	}
	return nil
}

// Enter makes a session for somebody who proved to hold the link's secret. It
// uses nothing up.
func (l *Lobby) Enter(linkID, session string, tokenHash [32]byte, now time.Time) (Session, error) {
	v, ok := l.links[linkID]
	if !ok {
		return Session{}, link.ErrUnknown
	}
	return l.enter(v, Session{ID: session, TokenHash: tokenHash}, now)
}

func (l *Lobby) enter(v link.Link, s Session, now time.Time) (Session, error) {
	s.Link = v.ID
	if !v.Revoked() && errors.Is(l.KeptOut(s), ErrBanned) {
		return Session{}, ErrBanned
	}
	if err := l.usable(v, link.Holder{Session: s.ID, Key: s.Key()}, now); err != nil {
		return Session{}, err
	}
	l.tidy(v.ID, now)
	s.Meeting, s.Link, s.Issue, s.CreatedAt, s.ExpiresAt = l.meeting, v.ID, v.Issue, now, now.Add(SessionLife)
	l.setSession(s)
	if v.OpenedAt.IsZero() {
		l.setLink(v.Open(now))
	}
	l.noteRedeemed(s)
	return s, nil
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
	k, ok := l.knocks[l.byWho[session]]
	return k, ok
}

// KnockByID returns a knock.
func (l *Lobby) KnockByID(id string) (Knock, bool) {
	k, ok := l.knocks[id]
	return k, ok
}

// Asking is what comes with a knock.
type Asking struct {
	Name, Organisation string         // as typed
	Key                link.PublicKey // that the browser proved for this session; zero: none
	PIN                string         // proof of the link's PIN, base64url; "": none
	Source             string         // where wrong PINs are counted
}

// Knock asks to enter. newID becomes the knock's id if the guest never knocked.
// A guest who waits or is admitted keeps what they have, the name included: a
// name must not change between the host's look and the host's press. A tab whose
// key has knocked by this link before becomes one more tab of that guest, whose
// session the answer names.
func (l *Lobby) Knock(session, newID string, a Asking, now time.Time) (Knock, error) {
	tab, err := l.Session(session, now)
	if err != nil {
		return Knock{}, err
	}
	v := l.links[tab.Link]
	if l.Void(tab) {
		return Knock{}, link.ErrRevoked
	}
	s := tab
	k, knocked := l.KnockOf(session)
	if !knocked {
		switch {
		case s.PublicKey == (link.PublicKey{}):
			s.PublicKey = a.Key
		case a.Key != (link.PublicKey{}) && a.Key != s.PublicKey:
			return Knock{}, link.ErrProof // a session's key never changes
		}
		if before, ok := l.byKey(v, s.PublicKey); ok {
			s = before
			k, knocked = l.KnockOf(s.ID)
		}
	}
	if err := l.KeptOut(s); err != nil {
		return Knock{}, err
	}
	if knocked && (k.Status == Waiting || k.Status == Admitted) {
		if s.ID != tab.ID {
			l.join(tab, s, now)
		}
		return k, nil
	}
	called, err := name.Required("name", a.Name, name.MaxName)
	if err != nil {
		return Knock{}, err
	}
	organisation, err := name.Optional("organisation", a.Organisation, name.MaxName)
	if err != nil {
		return Knock{}, err
	}
	if err := l.usable(v, link.Holder{Session: s.ID, Key: s.Key(), Known: knocked}, now); err != nil {
		return Knock{}, err
	}
	if err := l.room(s, now); err != nil {
		return Knock{}, err
	}
	if v.HasPIN() && !s.PINPassed {
		if err := l.limits.Guesses.Try(v, a.PIN, a.Source); err != nil {
			return Knock{}, err
		}
		s.PINPassed = true
	}
	if knocked {
		bucket, wait, ok := l.again[s.ID].Take(l.limits.KnockAgain, now)
		if !ok {
			return Knock{}, &TooSoonError{wait}
		}
		l.again[s.ID] = bucket
	}
	if s.ID != tab.ID {
		l.join(tab, s, now)
	} else if s != tab {
		l.setSession(s)
	}
	if !knocked {
		k = Knock{ID: newID, Meeting: l.meeting, Session: s.ID, Link: v.ID}
		l.setLink(v.Use(s.ID, s.Key()))
	}
	l.place++
	k = k.again(called, organisation, l.place, now)
	l.setKnock(k)
	l.tidy(v.ID, now)
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
