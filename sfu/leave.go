package sfu

import (
	"time"

	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"
)

// departure is kept for those who resume later and did not hear of it: no more than
// clients need to see somebody go. A room has many.
type departure struct {
	sid, identity string
	version       uint32
	reason        livekit.DisconnectReason
	at            time.Time
}

func (d departure) info() *livekit.ParticipantInfo {
	return &livekit.ParticipantInfo{
		Sid: d.sid, Identity: d.identity, State: livekit.ParticipantInfo_DISCONNECTED,
		DisconnectReason: d.reason, Version: d.version,
	}
}

// rememberDepartures is longer than any client keeps trying to resume.
const rememberDepartures = 2 * time.Minute

// drop ends a member: forwarding stops first, then the client is told, then
// the others. When it returns nothing more is forwarded to or from it.
func (r *room) drop(m *member, reason livekit.DisconnectReason, action livekit.LeaveRequest_Action) {
	delete(r.members, m.info.Identity)
	m.s.cut()
	var gone []*track
	kept := r.tracks[:0:0]
	for _, t := range r.tracks {
		if t.owner == m {
			gone = append(gone, t)
		} else {
			t.subscribed(m, false)
			kept = append(kept, t)
		}
	}
	r.tracks = kept
	for _, t := range gone {
		t.close()
		r.tell(TrackUnpublished, m, t.info)
	}
	m.s.send(leave(reason, action))
	if box := m.s.signal.Swap(nil); box != nil {
		box.Close()
	}
	m.info = proto.CloneOf(m.info)
	m.info.State = livekit.ParticipantInfo_DISCONNECTED
	m.info.DisconnectReason = reason
	m.info.Tracks = nil
	m.info.Version++
	r.membersChanged()
	delete(r.fresh, m)
	update := participantUpdate(m.info)
	for _, other := range r.members {
		if other.sees(m) {
			other.s.send(update)
		}
	}
	if !m.hidden() && !m.waiting() {
		r.remember(m.info)
	}
	delete(r.speaking, m.info.Sid)
	delete(r.silent, m.info.Sid)
	r.reconcileAll()
	r.log.Info("participant left", "participant", m.info.Identity, "sid", m.info.Sid, "reason", reason.String())
	r.tell(Left, m, nil)
}

func (r *room) remember(info *livekit.ParticipantInfo) {
	now := time.Now()
	for len(r.left) > 0 && (now.Sub(r.left[0].at) > rememberDepartures || len(r.left) >= 1000) {
		r.left = r.left[1:]
	}
	r.left = append(r.left, departure{info.Sid, info.Identity, info.Version, info.DisconnectReason, now})
}

func leave(reason livekit.DisconnectReason, action livekit.LeaveRequest_Action) *livekit.SignalResponse {
	return &livekit.SignalResponse{Message: &livekit.SignalResponse_Leave{Leave: &livekit.LeaveRequest{
		Reason:       reason,
		Action:       action,
		CanReconnect: action != livekit.LeaveRequest_DISCONNECT, // what protocol < 13 reads
	}}}
}

// actionFor tells clients whether to come back.
func actionFor(reason livekit.DisconnectReason) livekit.LeaveRequest_Action {
	switch reason {
	case livekit.DisconnectReason_SERVER_SHUTDOWN, livekit.DisconnectReason_STATE_MISMATCH,
		livekit.DisconnectReason_MIGRATION, livekit.DisconnectReason_MEDIA_FAILURE:
		return livekit.LeaveRequest_RECONNECT
	}
	return livekit.LeaveRequest_DISCONNECT
}

// remove asks for the end of an identity's session, or of just the session s
// when it is given. It returns when nothing more is forwarded.
func (r *room) remove(identity string, s *Session, reason livekit.DisconnectReason) bool {
	req := &removeRequest{identity: identity, session: s, reason: reason, reply: make(chan bool, 1)}
	return r.ask(req) && <-req.reply
}

type removeRequest struct {
	identity string
	session  *Session // nil: whichever there is
	reason   livekit.DisconnectReason
	reply    chan bool
}

func (q *removeRequest) serve(r *room) {
	m := r.members[q.identity]
	if m == nil || q.session != nil && m.s != q.session {
		q.reply <- false
		return
	}
	r.drop(m, q.reason, actionFor(q.reason))
	q.reply <- true
}

// leaveRequest is asked by a session about itself.
type leaveRequest struct {
	s      *Session
	reason livekit.DisconnectReason
	action livekit.LeaveRequest_Action
}

func (q *leaveRequest) serve(r *room) {
	if m := r.member(q.s); m != nil {
		r.drop(m, q.reason, q.action)
	}
}

// leave ends the session, for those that must not wait for the room: its own
// goroutine asks.
func (s *Session) leave(reason livekit.DisconnectReason) {
	s.mu.Lock()
	s.leaving = &leaveRequest{s, reason, actionFor(reason)}
	s.mu.Unlock()
	s.wake()
}

// member finds the member of a session that is still in.
func (r *room) member(s *Session) *member {
	if m := r.members[s.identity]; m != nil && m.s == s {
		return m
	}
	return nil
}

type activeRequest struct{ s *Session }

func (q *activeRequest) serve(r *room) {
	m := r.member(q.s)
	if m == nil || m.active {
		return
	}
	m.active = true
	m.failedAt = time.Time{}
	m.change(func(p *livekit.ParticipantInfo) { p.State = livekit.ParticipantInfo_ACTIVE })
	r.present(m)
	r.tell(Connected, m, nil)
}

type connectionRequest struct {
	s              *Session
	failed, closed bool
	again          bool // it works, and is to be made anew
}

func (q *connectionRequest) serve(r *room) {
	m := r.member(q.s)
	if m == nil {
		return
	}
	if q.again {
		r.askToResume(m)
		return
	}
	if !q.failed {
		m.failedAt = time.Time{}
		return
	}
	m.failedAt = time.Now()
	m.goneFirst = !m.lostAt.IsZero() // it has been away for as long as ICE took
	switch {
	case q.closed:
		// The client closed its connection. Over UDP that may overtake its
		// leave: checkDeadlines acts when none comes.
		m.closed = true
	case time.Since(m.resumedAt) < r.sfu.cfg.Timing.ReturnTime/3:
		// Both connections failed, one after the other: the resume that the first
		// one led to mends both, if it is let.
	default:
		r.log.Info("media connection failed, asking to resume", "participant", m.info.Identity)
		r.askToResume(m)
	}
}

// askToResume has the client come back on a new signal connection. Protocol 12 and
// below know no such wish: can_reconnect would have them join anew, and a closed
// connection alone has them resume.
func (r *room) askToResume(m *member) {
	if m.s.params.Client.GetProtocol() >= 13 {
		m.s.send(leave(livekit.DisconnectReason_CONNECTION_TIMEOUT, livekit.LeaveRequest_RESUME))
	}
	if box := m.s.signal.Swap(nil); box != nil {
		box.Close()
		m.lostAt = time.Now()
	}
}

type signalLost struct {
	s      *Session
	signal Signal
}

func (q *signalLost) serve(r *room) {
	m := r.member(q.s)
	if m == nil {
		return
	}
	box := m.s.signal.Load()
	if box == nil || box.Signal != q.signal {
		return // a resume was faster
	}
	m.s.signal.Store(nil)
	m.lostAt = time.Now()
	r.log.Debug("signal lost", "participant", m.info.Identity)
}

// checkDeadlines removes those who never connected, and those whose connection
// failed and who did not come back.
func (r *room) checkDeadlines(now time.Time) {
	t := r.sfu.cfg.Timing
	for _, m := range r.members {
		switch {
		case !m.active && now.Sub(m.joined) > t.JoinLimit:
			r.drop(m, livekit.DisconnectReason_JOIN_FAILURE, livekit.LeaveRequest_DISCONNECT)
		case !m.active && !m.lostAt.IsZero() && now.Sub(m.lostAt) > t.ReturnTime:
			r.drop(m, livekit.DisconnectReason_SIGNAL_CLOSE, livekit.LeaveRequest_DISCONNECT)
		case m.closed && !m.lostAt.IsZero():
			r.drop(m, livekit.DisconnectReason_SIGNAL_CLOSE, livekit.LeaveRequest_DISCONNECT)
		case m.closed && now.Sub(m.failedAt) > t.LeaveTime:
			// A closed DTLS association cannot be revived.
			r.drop(m, livekit.DisconnectReason_MEDIA_FAILURE, livekit.LeaveRequest_RECONNECT)
		case !m.failedAt.IsZero() && m.goneFirst && now.Sub(m.failedAt) > t.ReturnTime/3:
			r.drop(m, livekit.DisconnectReason_SIGNAL_CLOSE, livekit.LeaveRequest_DISCONNECT)
		case !m.failedAt.IsZero() && now.Sub(m.failedAt) > t.ReturnTime:
			r.drop(m, livekit.DisconnectReason_CONNECTION_TIMEOUT, livekit.LeaveRequest_RECONNECT)
		}
	}
}
