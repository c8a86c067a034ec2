package meeting

import (
	"errors"
	"sync/atomic"
	"time"

	"aparte/signaling/link"
	"aparte/signaling/lobby"
	"aparte/signaling/profile"
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
	seq     uint64
	since   time.Time
	session string // of the guest
}

// Slow reports, once Events is closed, whether it was for not keeping up.
func (w *HostWatch) Slow() bool { return w.slow.Load() }

// GuestWatch is a guest following their own state. Only the latest view waits.
type GuestWatch struct {
	// Views is closed when the watch ends.
	Views <-chan GuestView

	views   chan GuestView
	session string
	release func()

	// Owned by the meeting's goroutine.
	last GuestView
	born uint64
}

// GuestView is all that a guest is told. It is comparable.
type GuestView struct {
	Title, Organiser string
	StartsAt, EndsAt time.Time
	State            State
	Profile          profile.Profile // its name and sentence are for the guest
	KeepChatDays     int             // for how many days what is written to everybody is stored; 0: it is not
	Locked           bool            // nobody is let in now

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

	Knocked bool
	Knock   lobby.Knock // Admission and Identity are left out
	Thread  *lobby.Thread
	// HostKnows says that a host's screen has shown the knock, KnownBy whose.
	HostKnows bool
	KnownBy   string
	// HostPresent: a host is in the call. HostWatching: a host has the lobby at hand.
	HostPresent, HostWatching bool
	Known                     lobby.Recognition // by what the guest is known again
	Screen                    Screen
}

// sighting is a waiting that a host's screen has shown.
type sighting struct {
	since time.Time // of that waiting
	by    string    // name of the host
}

// Screen is which page a guest sees.
type Screen string

// The screens of a guest.
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
)

// view is what a session is told now.
func (l *live) view(s lobby.Session) GuestView {
	via, _ := l.lobby.Link(s.Link)
	void := l.lobby.Void(s)
	v := GuestView{
		Title: l.meeting.Title, Organiser: l.meeting.Organiser.Name,
		StartsAt: l.meeting.StartsAt, EndsAt: l.meeting.EndsAt,
		State: l.meeting.State, Profile: l.profile, KeepChatDays: l.chatKeptDays(), Locked: l.meeting.Locked && l.meeting.State != Ended,
		Kind: via.Kind, GuestName: via.GuestName, Organisation: via.Organisation, Language: via.Language,
		AsksPIN: via.HasPIN() && !s.PINPassed, Session: s.ID, Challenge: s.Challenge(), Bound: s.Bound(),
		LinkExpiresAt: via.ExpiresAt, HostPresent: l.hostPresent() && !void, HostWatching: len(l.hosts) > 0 && !void,
		Known: l.lobby.Recognition(s),
	}
	k, knocked := l.lobby.KnockOf(s.ID)
	if knocked {
		v.Knocked, v.Knock = true, k
		v.Knock.Admission, v.Knock.Identity = "", ""
		v.Thread = l.lobby.Thread(k.ID)
		if seen, ok := l.seen[k.ID]; ok && seen.since.Equal(k.Since) && !l.meeting.orphaned() {
			v.HostKnows, v.KnownBy = true, seen.by
		}
	}
	v.Screen = screen(l.meeting.State, void, k)
	if v.Screen != ScreenEnded && v.Screen != ScreenRevoked && k.Status != lobby.Waiting && k.Status != lobby.Admitted {
		v.Screen = l.keptOut(s, v.Screen)
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
