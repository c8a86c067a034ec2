package sfu

import (
	"errors"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/sfu/transport"
)

// What clients under test ask to go wrong; --dev only.

// ErrSilent is returned by a Resume whose signal connection is to be closed
// without a word, because its client wants to see that.
var ErrSilent = errors.New("closed without a word, as asked for")

// simulated is how the next resume fails.
type simulated int

const (
	closeAfterResponse simulated = iota + 1
	closeSilently
)

func (s *Session) simulate(m *livekit.SimulateScenario) {
	switch sc := m.GetScenario().(type) {
	case *livekit.SimulateScenario_ServerLeave:
		s.room.ask(&leaveRequest{s, livekit.DisconnectReason_PARTICIPANT_REMOVED, livekit.LeaveRequest_DISCONNECT})
	case *livekit.SimulateScenario_LeaveRequestFullReconnect:
		s.room.ask(&leaveRequest{s, livekit.DisconnectReason_STATE_MISMATCH, livekit.LeaveRequest_RECONNECT})
	case *livekit.SimulateScenario_NodeFailure:
		s.room.ask(&vanishRequest{s})
	case *livekit.SimulateScenario_SwitchCandidateProtocol:
		// There is one protocol for media; the client's way to it is tried anew.
		s.room.ask(&connectionRequest{s: s, again: true})
	case *livekit.SimulateScenario_SpeakerUpdate:
		s.room.ask(&speakRequest{s, time.Duration(min(max(sc.SpeakerUpdate, 1), 60)) * time.Second})
	case *livekit.SimulateScenario_SubscriberBandwidth:
		s.setBandwidth(sc.SubscriberBandwidth)
	case *livekit.SimulateScenario_DisconnectSignalOnResume:
		s.room.ask(&onResumeRequest{s, closeAfterResponse})
	case *livekit.SimulateScenario_DisconnectSignalOnResumeNoMessages:
		s.room.ask(&onResumeRequest{s, closeSilently})
	default:
		s.respond(&livekit.RequestResponse{Reason: livekit.RequestResponse_UNSUPPORTED_TYPE, Message: "this scenario is not offered"})
	}
}

// setBandwidth has forwarding believe that the path to the client carries so much;
// 0 or less ends that.
func (s *Session) setBandwidth(bps int64) {
	for _, p := range []*transport.Peer{s.pub, s.sub} {
		if p != nil {
			p.LimitBandwidth(max(bps, 0))
		}
	}
}

type vanishRequest struct{ s *Session }

// serve drops the session as a crash would: the client hears nothing.
func (q *vanishRequest) serve(r *room) {
	m := r.member(q.s)
	if m == nil {
		return
	}
	box := m.s.signal.Swap(nil)
	r.drop(m, livekit.DisconnectReason_SIGNAL_CLOSE, livekit.LeaveRequest_RECONNECT)
	if box != nil {
		box.Close()
	}
}

type onResumeRequest struct {
	s   *Session
	how simulated
}

func (q *onResumeRequest) serve(r *room) {
	if m := r.member(q.s); m != nil {
		m.onResume = q.how
	}
}

// failResume answers a resume as was asked for. The session stays as it was, and
// the next resume succeeds.
func (r *room) failResume(m *member, q *resumeRequest, how simulated) {
	if how == closeSilently {
		q.reply <- joinReply{err: ErrSilent}
		return
	}
	q.signal.Send(r.reconnectResponse(m))
	if old := m.s.signal.Swap(nil); old != nil {
		old.Close()
	}
	m.lostAt = time.Now()
	q.signal.Close()
	q.reply <- joinReply{session: m.s}
}

type speakRequest struct {
	s    *Session
	span time.Duration
}

// serve has the participant speak for a while without a word.
func (q *speakRequest) serve(r *room) {
	if m := r.member(q.s); m != nil {
		m.speaksUntil = time.Now().Add(q.span)
		r.tellSpeakers()
	}
}

// simulatedLevels adds those who speak because they asked to.
func (r *room) simulatedLevels(levels map[string]float32) {
	for _, m := range r.members {
		switch {
		case m.speaksUntil.IsZero():
		case time.Now().After(m.speaksUntil):
			m.speaksUntil = time.Time{}
		default:
			levels[m.info.Sid] = 0.9
		}
	}
}
