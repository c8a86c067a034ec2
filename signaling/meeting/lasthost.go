package meeting

import (
	"cmp"
	"slices"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/signaling/audit"
	"aparte/signaling/profile"
	"aparte/signaling/role"
)

// What happens when the last host has left the call.
//
//	            last host leaves               LastHostAfter
//	hosted ────────────────────────▶ hostless ──────────────▶ end: the meeting ends for all
//	   ▲                                │                     promote: an agent becomes co-host
//	   └────────────────────────────────┘                     wait: nothing, a host comes back or not
//	         a host is in the call
//
// Since when it is hostless is stored with the meeting, so that the time goes on over a
// restart. A host who was in the call when the server stopped has all of it from the
// moment at which the meeting is loaded again.

// LastHost is what happens when the last host has left.
type LastHost string

// What can happen. With all of them everybody in the call is told that no host is there,
// and agents who do not moderate come in no more until one is.
const (
	WaitForHost    LastHost = "wait"
	EndWithoutHost LastHost = "end"
	PromoteAgent   LastHost = "promote" // who has been present longest of the agents
)

const (
	// lastHostAfter is how long a host has to come back, where nothing else is said.
	lastHostAfter = 5 * time.Minute
	// maxHostless bounds the meetings of one kind that one sweep looks after.
	maxHostless = 1000
)

// NoHost tells those in a call that no host is there, and what follows.
type NoHost struct {
	Since time.Time  `json:"since"`
	Then  LastHost   `json:"then"`
	At    *time.Time `json:"at,omitempty"` // when; absent: wait
}

// lastHost is the rule of this meeting: its security profile's, or where that has it wait,
// the server's.
func (l *live) lastHost() (then LastHost, after time.Duration) {
	if r := l.profile.Rules; r.LastHost != "" && r.LastHost != profile.LastHostWait {
		return LastHost(r.LastHost), time.Duration(r.LastHostDelay) * time.Second
	}
	return l.cfg.LastHost, l.cfg.LastHostAfter
}

// hostless tells whether the last host has left the open meeting.
func (l *live) hostless() bool { return l.meeting.State == Open && !l.meeting.HostlessSince.IsZero() }

// dueTime is when the absence of hosts has consequences; zero: never.
func (l *live) dueTime() time.Time {
	then, after := l.lastHost()
	if !l.hostless() || then == WaitForHost {
		return time.Time{}
	}
	return l.meeting.HostlessSince.Add(after)
}

// dueAt is when time alone has consequences, for who does not own the meeting.
func (l *live) dueAt() int64 {
	hosts, recorded := l.hostsDue(), l.recordingDue()
	if !recorded.IsZero() && (hosts == 0 || recorded.UnixMilli() < hosts) {
		return recorded.UnixMilli()
	}
	return hosts
}

// hostsDue is dueTime in milliseconds. Once an agent could not be promoted for want of
// one, it is left to Sweep to look whether one has come back.
func (l *live) hostsDue() int64 {
	due := l.dueTime()
	if !l.loaded || due.IsZero() {
		return 0
	}
	if then, _ := l.lastHost(); then == PromoteAgent && !l.cfg.now().Before(due) {
		return 0
	}
	return due.UnixMilli()
}

// noHost is what the call is told of it.
func (l *live) noHost() *NoHost {
	if !l.hostless() {
		return nil
	}
	then, _ := l.lastHost()
	v := &NoHost{Since: l.meeting.HostlessSince, Then: then}
	if due := l.dueTime(); !due.IsZero() {
		v.At = &due
	}
	return v
}

// recount has those in the call be what the meeting that was loaded says. The first time it
// finds out, too, whether a host was in it: one who has a seat in an open meeting that no
// host has left was there when the server stopped.
func (l *live) recount(first bool) {
	for identity, p := range l.inCall {
		if g, err := l.grantOf(identity); err == nil {
			p.Role = g.Role
			l.inCall[identity] = p
		}
	}
	if !first || l.meeting.State != Open || l.hostless() {
		return
	}
	for _, s := range l.seats {
		if r, _, _ := l.meeting.Role(s.Account); r.Moderates() {
			l.hosted = true
		}
	}
}

// watchHosts notes that the last host has left, or that one is back.
func (l *live) watchHosts(now time.Time) {
	switch here := l.hostPresent(); {
	case l.meeting.State != Open:
		l.hosted = false
	case here && l.hostless():
		m := l.meeting
		m.HostlessSince = time.Time{}
		l.setMeeting(m)
		l.note(audit.Did(audit.HostBack))
		l.hosted = true
	case here:
		l.hosted = true
	case l.hosted:
		l.hosted = false
		m := l.meeting
		m.HostlessSince = now
		l.setMeeting(m)
		then, _ := l.lastHost()
		l.note(audit.Did(audit.HostsGone).With("then", string(then)).WithTime("at", l.dueTime()))
	}
}

// actWithoutHost does what was announced once its time has come.
func (l *live) actWithoutHost(now time.Time) outcome {
	due := l.dueTime()
	if due.IsZero() || now.Before(due) {
		return outcome{}
	}
	l.leave, l.permit, l.orders, l.close = nil, nil, nil, false
	switch then, _ := l.lastHost(); then {
	case EndWithoutHost:
		l.finish(now)
		l.orders = append(l.orders, func(call Media, room string) {
			call.CloseRoom(room, livekit.DisconnectReason_ROOM_DELETED)
		})
	case PromoteAgent:
		if p, ok := l.longestPresent(); ok {
			l.name(p, role.Cohost, "last host left")
		}
	}
	return outcome{permit: l.permit, orders: l.orders}
}

// longestPresent is the agent who has been in the call longest of those who may become
// co-host. Observers asked to look on, and guests never become hosts.
func (l *live) longestPresent() (Person, bool) {
	present := slices.DeleteFunc(l.roster(), func(p Participant) bool { return p.Role != role.Participant })
	slices.SortStableFunc(present, func(a, b Participant) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Identity, b.Identity))
	})
	for _, p := range present {
		if seat, ok := l.seatByIdentity(p.Identity); ok {
			_, who, named := l.meeting.Role(seat.Account)
			return who, named
		}
	}
	return Person{}, false
}

// and is two outcomes in one: this one is carried out first.
func (o outcome) and(other outcome) outcome {
	other.permit = append(o.permit, other.permit...)
	other.orders = append(o.orders, other.orders...)
	return other
}
