package meeting

import (
	"errors"
	"sync/atomic"
	"time"

	"aparte/signaling/link"
	"aparte/signaling/lobby"
	"aparte/signaling/profile"
	"aparte/signaling/recording"
	"aparte/signaling/role"
)

// HostEvent is a message to a host. Exactly one group of fields is set: Snapshot
// with everything, or Knock, or Meeting, or (Roster) Participants.
type HostEvent struct {
	Seq          uint64
	Snapshot     bool
	Meeting      *Summary
	Knocks       []KnockView
	Knock        *KnockView
	Roster       bool
	Participants []Participant
}

// KnockView is a knock as hosts see it.
type KnockView struct {
	lobby.Knock
	Via        link.Link
	Differs    bool // the name typed is not the one invited
	Suspicious bool // the name can deceive the eye
	Bound      bool // the browser proved a key: it can come back, and is recognised
	PINPassed  bool
	Usual      lobby.Permissions // what an admission gives unless a host says otherwise
	Thread     *lobby.Thread
	Known      lobby.Recognition // by what the person is known again
	Role       role.Role         // of an agent; "": a guest's is the link's
}

// HostWatch is a host following a meeting. The reader of Events must keep up:
// when the queue is full the watch is closed, and the host comes back for a
// fresh snapshot.
type HostWatch struct {
	// Events is closed when the watch ends.
	Events <-chan HostEvent

	events  chan HostEvent
	agent   Agent
	slow    atomic.Bool
	release func()

	// Owned by the meeting's goroutine.
	seq     uint64
	pending map[string]delivery // knock id → not yet seen
}

type delivery struct {
	seq   uint64
	since time.Time
	who   string // lobby.Knock.Who
}

// Slow reports, once Events is closed, whether it was for not keeping up.
func (w *HostWatch) Slow() bool { return w.slow.Load() }

// Watch is somebody following their own state in the lobby. Only the latest view waits.
type Watch[V comparable] struct {
	// Views is closed when the watch ends.
	Views <-chan V

	views   chan V
	who     string // lobby.Knock.Who
	session string // of an agent
	release func()

	// Owned by the meeting's goroutine.
	last V
	born uint64
}

// GuestWatch is a guest's watch.
type GuestWatch = Watch[GuestView]

// AgentWatch is an agent's watch.
type AgentWatch = Watch[AgentView]

func newWatch[V comparable](who string) *Watch[V] {
	views := make(chan V, 1)
	return &Watch[V]{Views: views, views: views, who: who}
}

// Unwatch ends the watch; it may be called once.
func (w *Watch[V]) Unwatch() { w.release() }

// show leaves a view to be read, if it differs from the last.
func (w *Watch[V]) show(v V) {
	if v == w.last {
		return
	}
	w.last = v
	select {
	case <-w.views: // never read: the newer one replaces it
	default:
	}
	w.views <- v
}

// follow adds a watch to those of a meeting; drop ends the oldest of the same who if
// there are most of them.
func follow[V comparable](all map[*Watch[V]]struct{}, w *Watch[V], most int, drop func(*Watch[V])) {
	var oldest *Watch[V]
	count := 0
	for other := range all {
		if other.who == w.who {
			if count++; oldest == nil || other.born < oldest.born {
				oldest = other
			}
			w.born = max(w.born, other.born+1)
		}
	}
	if count >= most {
		drop(oldest)
	}
	all[w] = struct{}{}
}

// LobbyView is what guests and agents are told alike.
type LobbyView struct {
	Title, Organiser string
	StartsAt, EndsAt time.Time
	PostZone         string // time zone of the post (IANA)
	State            State
	Profile          profile.Profile // its name and sentence are for the guest
	KeepChatDays     int             // for how many days what is written to everybody is stored; 0: it is not
	Locked           bool            // nobody is let in now
	Recording        recording.State // of one that is asked for or under way; "": none
	// RecordingWatchable: hosts can watch that one on the server.
	RecordingWatchable bool

	Knocked bool
	Knock   lobby.Knock // Admission and Identity are left out
	Thread  *lobby.Thread
	// HostKnows says that a host's screen has shown the knock, KnownBy whose.
	HostKnows bool
	KnownBy   string
	// HostPresent: a host is in the call. HostWatching: a host has the lobby at hand.
	HostPresent, HostWatching bool
	Screen                    Screen
}

// GuestView is all that a guest is told. It is comparable.
type GuestView struct {
	LobbyView

	Kind         link.Kind
	GuestName    string
	Organisation string
	Language     string // BCP 47; "": the browser decides
	AsksPIN      bool   // the next knock needs the link's PIN

	Session   string // id, no credential
	Challenge string // to sign at the knock
	Bound     bool

	// LinkExpiresAt ends asking anew by the link; who waits keeps waiting.
	LinkExpiresAt time.Time
	Known         lobby.Recognition // by what the guest is known again
}

// sighting is a waiting that a host's screen has shown.
type sighting struct {
	since time.Time // of that waiting
	by    string    // name of the host
}

// Screen is which page somebody sees at the lobby.
type Screen string

// The screens. Free is of agents: whoever may come in without asking.
const (
	ScreenEntry     Screen = "entry"
	ScreenWaiting   Screen = "waiting"
	ScreenAdmitted  Screen = "admitted"
	ScreenDenied    Screen = "denied"
	ScreenRemoved   Screen = "removed"
	ScreenBanned    Screen = "banned"
	ScreenWithdrawn Screen = "withdrawn"
	ScreenExpired   Screen = "expired"
	ScreenEnded     Screen = "ended"
	ScreenRevoked   Screen = "revoked"
	ScreenFree      Screen = "free"
)

// view is what a session is told now.
func (l *live) view(s lobby.Session) GuestView {
	via, _ := l.lobby.Link(s.Link)
	void := l.lobby.Void(s)
	k, knocked := l.lobby.KnockOf(s.ID)
	v := GuestView{
		LobbyView: l.lobbyView(k, knocked),
		Kind:      via.Kind, GuestName: via.GuestName, Organisation: via.Organisation, Language: via.Language,
		AsksPIN: via.HasPIN() && !s.PINPassed, Session: s.ID, Challenge: s.Challenge(), Bound: s.Bound(),
		LinkExpiresAt: via.ExpiresAt, Known: l.lobby.Recognition(s),
	}
	v.HostPresent, v.HostWatching = v.HostPresent && !void, v.HostWatching && !void
	v.Screen = screen(l.meeting.State, void, k)
	if v.Screen != ScreenEnded && v.Screen != ScreenRevoked && k.Status != lobby.Waiting && k.Status != lobby.Admitted {
		v.Screen = l.keptOut(s, v.Screen)
	}
	return v
}

// lobbyView is what whoever made a knock, or made none, is told but for the screen.
func (l *live) lobbyView(k lobby.Knock, knocked bool) LobbyView {
	v := LobbyView{
		Title: l.meeting.Title, Organiser: l.meeting.Organiser.Name,
		StartsAt: l.meeting.StartsAt, EndsAt: l.meeting.EndsAt, PostZone: l.postZone,
		State: l.meeting.State, Profile: l.profile, KeepChatDays: l.chatKeptDays(), Locked: l.meeting.Locked && l.meeting.State != Ended, Recording: l.lobbyRecording(),
		RecordingWatchable: l.lobbyRecording() != "" && l.recording.Watchable,
		HostPresent:        l.hostPresent(), HostWatching: len(l.hosts) > 0,
	}
	if knocked {
		v.Knocked, v.Knock = true, k
		v.Knock.Admission, v.Knock.Identity = "", ""
		v.Thread = l.lobby.Thread(k.ID)
		if seen, ok := l.seen[k.ID]; ok && seen.since.Equal(k.Since) && !l.meeting.orphaned() {
			v.HostKnows, v.KnownBy = true, seen.by
		}
	}
	return v
}

// keptOut is the screen of a session whose person is refused, perhaps because of
// another tab.
func (l *live) keptOut(s lobby.Session, otherwise Screen) Screen {
	switch err := l.lobby.KeptOut(s); {
	case errors.Is(err, lobby.ErrBanned):
		return ScreenBanned
	case errors.Is(err, lobby.ErrDenied) && otherwise != ScreenRemoved:
		return ScreenDenied
	}
	return otherwise
}

func screen(state State, void bool, k lobby.Knock) Screen {
	switch {
	case state == Ended:
		return ScreenEnded
	case void:
		return ScreenRevoked
	}
	switch k.Status {
	case lobby.Waiting:
		return ScreenWaiting
	case lobby.Admitted:
		return ScreenAdmitted
	case lobby.Denied:
		if !k.RemovedAt.IsZero() {
			return ScreenRemoved
		}
		return ScreenDenied
	case lobby.Withdrawn:
		return ScreenWithdrawn
	case lobby.Expired:
		if k.DecidedBy != "" { // a denial that was lifted
			return ScreenEntry
		}
		return ScreenExpired
	default:
		return ScreenEntry
	}
}

func (l *live) hostPresent() bool {
	for _, p := range l.inCall {
		if p.Role.Moderates() {
			return true
		}
	}
	return false
}

func (l *live) knockView(k lobby.Knock) KnockView {
	if k.OfAgent() {
		r, _, _ := l.meeting.Role(k.Account)
		v, _ := l.meeting.member(k.Account)
		return KnockView{Usual: v.Permissions(), Knock: k, Thread: l.lobby.Thread(k.ID), Known: lobby.ByAccount, Role: r}
	}
	via, _ := l.lobby.Link(k.Link)
	s := l.lobby.SessionOf(k)
	usual := lobby.Everything()
	if l.roleBy(k.Link) == role.Observer {
		usual = permissionsOf(role.Observer)
	}
	usual, _ = l.given(usual, Usual{Share: true, Files: true}, lobby.Permissions{}) // what is usual is never refused
	return KnockView{
		Usual: usual, Knock: k, Via: via, Differs: k.NameDiffers(via), Suspicious: k.NameSuspicious(via),
		Bound: s.Bound(), PINPassed: s.PINPassed, Thread: l.lobby.Thread(k.ID), Known: l.lobby.Recognition(s),
	}
}

func (l *live) knockViews() []KnockView {
	knocks := l.lobby.Knocks()
	views := make([]KnockView, len(knocks))
	for i, k := range knocks {
		views[i] = l.knockView(k)
	}
	return views
}
