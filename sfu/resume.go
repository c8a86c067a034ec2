package sfu

import (
	"time"

	"github.com/livekit/protocol/livekit"
)

// resumeRequest swaps the signal connection of a live session. It is found by
// identity; a sid, where told, must be its own.
type resumeRequest struct {
	params JoinParams
	signal Signal
	reply  chan joinReply
}

func (q *resumeRequest) serve(r *room) {
	m := r.members[q.params.Identity]
	if m == nil || q.params.SingleConn != m.s.single ||
		q.params.ParticipantSID != "" && q.params.ParticipantSID != m.info.Sid {
		q.reply <- joinReply{err: ErrNoSession}
		return
	}
	if how := m.onResume; how != 0 {
		m.onResume = 0
		r.failResume(m, q, how)
		return
	}
	// Clients discard everything before this message, so nobody else may
	// speak on the new signal until the whole picture is queued.
	q.signal.Send(r.reconnectResponse(m))
	infos := append(r.leftMeanwhile(m), m.info)
	q.signal.Send(participantUpdate(append(infos, r.visibleTo(m)...)...))
	q.signal.Send(roomUpdate(r.roomFor(m)))
	if old := m.s.signal.Swap(&signalBox{q.signal}); old != nil {
		old.Close()
	}
	m.lostAt, m.resumedAt = time.Time{}, time.Now()
	if !m.failedAt.IsZero() {
		m.failedAt, m.goneFirst = time.Now(), false // the patience begins anew
	}
	// A meeting's grant is looked up at each resume, and tells unless something was ruled
	// since. Elsewhere the token tells, and may be older than whatever was ruled.
	if m.ruledAt.IsZero() || r.key.Space == MeetingSpace && m.ruledAt.Before(q.params.Authorized) {
		r.setPermission(m, q.params.Permission)
	}
	r.repeatDemand(m)
	r.repeatSpeakers(m)
	m.qualities = nil // what changed meanwhile is told with the next ones
	m.denied = nil    // it may have missed that
	r.reconcile(m)
	m.s.mu.Lock()
	m.s.resumed = &q.params
	m.s.mu.Unlock()
	m.s.wake()
	r.log.Info("participant resumed", "participant", m.info.Identity, "sid", m.info.Sid)
	q.reply <- joinReply{session: m.s}
}

func (r *room) reconnectResponse(m *member) *livekit.SignalResponse {
	return &livekit.SignalResponse{Message: &livekit.SignalResponse_Reconnect{Reconnect: &livekit.ReconnectResponse{
		IceServers:     r.sfu.iceServers(m),
		ServerInfo:     r.sfu.serverInfo(),
		LastMessageSeq: m.s.seq.Load(),
	}}}
}

// leftMeanwhile lists who left while m may not have heard of it. Those who came
// back are not among them: clients go by identity.
func (r *room) leftMeanwhile(m *member) []*livekit.ParticipantInfo {
	if m.waiting() {
		return nil
	}
	since := m.joined
	lost := time.Now()
	if !m.lostAt.IsZero() {
		lost = m.lostAt
	}
	if from := lost.Add(-silence); from.After(since) {
		since = from
	}
	var out []*livekit.ParticipantInfo
	for _, d := range r.left {
		if d.at.After(since) && r.members[d.identity] == nil {
			out = append(out, d.info())
		}
	}
	return out
}

// outdated tells whether a message came on a connection that a resume replaced,
// and would harm on the new one: a goodbye to the old, or an answer that does not
// say to which offer, where the resume has repeated it.
func (s *Session) outdated(q received) bool {
	box := s.signal.Load()
	if box == nil || box.Signal == q.from {
		return false
	}
	return q.msg.GetLeave() != nil || q.msg.GetAnswer() != nil && q.msg.GetAnswer().GetId() == 0
}

// silence is how long a dead signal may go unnoticed: what was sent to it in
// that time may be lost.
const silence = 30 * time.Second

// afterResume restarts ICE on the connection where we make the offers; on the
// other one the client does. An offer that is out is repeated, because its
// answer may be lost, and the restart follows it.
func (s *Session) afterResume(p *JoinParams) {
	s.required = false
	s.forgetStreams()
	if p.SyncState != nil {
		s.handle(&livekit.SignalRequest{Message: &livekit.SignalRequest_SyncState{SyncState: p.SyncState}})
	}
	if o := p.PublisherOffer; o != nil && o.Sdp != "" {
		s.offered(o)
	}
	if s.single {
		s.require()
		return
	}
	if s.sub == nil {
		return
	}
	s.restart = true
	if s.offering {
		s.stale = true
		s.sendOffer()
		return
	}
	s.makeOffer()
}

// syncState checks what a resumed client believes. What it published must
// exist here, else only a new join brings both together again.
func (s *Session) syncState(m *livekit.SyncState) {
	for _, p := range m.GetPublishTracks() {
		found := false
		for _, t := range s.local {
			found = found || t.info.Sid == p.GetTrack().GetSid()
		}
		if !found {
			s.room.ask(&leaveRequest{s, livekit.DisconnectReason_STATE_MISMATCH, livekit.LeaveRequest_RECONNECT})
			return
		}
	}
	s.replay(m.GetDatachannelReceiveStates())
	for _, sid := range m.GetTrackSidsDisabled() {
		set := s.settings[sid]
		s.trackSettings(&livekit.UpdateTrackSettings{
			TrackSids: []string{sid}, Disabled: true, Quality: set.quality, Width: set.width, Height: set.height,
		})
	}
	if sub := m.GetSubscription(); sub != nil {
		// It lists what deviates from auto-subscription now: a wish that was taken
		// back while the signal was lost is not in it.
		s.room.ask(&deviationsRequest{subscriptionRequest{s, sub}})
	}
}

type deviationsRequest struct{ subscriptionRequest }

func (q *deviationsRequest) serve(r *room) {
	if m := r.member(q.s); m != nil {
		clear(m.explicit)
		q.subscriptionRequest.serve(r)
	}
}
