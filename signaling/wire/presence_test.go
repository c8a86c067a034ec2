package wire_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"

	"aparte/sfu"
)

// A crowd is told of in batches: otherwise each of those who come costs a message
// to all the others. The first few are told of at once.
func TestJoinsOfACrowdAreBatched(t *testing.T) {
	t.Parallel()
	s := newServer(t, timing(func(t *sfu.Timing) { t.Batch = 2 * time.Second; t.Tick = 50 * time.Millisecond }))
	ann := s.connect(true, s.token("ann", "r"))
	ann.forget()
	const n = 30
	for i := range n {
		s.join(true, s.token(fmt.Sprint(i), "r"))
	}
	for i := range n {
		ann.info(fmt.Sprint(i), "joined", func(p *livekit.ParticipantInfo) bool { return p.State == livekit.ParticipantInfo_JOINED })
	}
	ann.mu.Lock()
	defer ann.mu.Unlock()
	messages, counts := 0, 0
	for _, m := range ann.log {
		if m.GetUpdate() != nil {
			messages++
		}
		if m.GetRoomUpdate() != nil {
			counts++
		}
	}
	if messages > 20 {
		t.Errorf("%d updates about %d who came", messages, n)
	}
	if counts > 2 {
		t.Errorf("%d room updates while they came", counts)
	}
}

// Whose data comes before its name is known is told of first.
func TestSenderIsPresentedBeforeItsData(t *testing.T) {
	t.Parallel()
	s := newServer(t, timing(func(t *sfu.Timing) { t.Batch = time.Hour }))
	ann := s.connect(true, s.token("ann", "r"))
	for i := range 12 { // use up what is presented at once
		s.join(true, s.token(fmt.Sprint(i), "r"))
	}
	bob := s.connect(true, s.token("bob", "r"))
	ann.mu.Lock()
	for _, m := range ann.log {
		for _, p := range m.GetUpdate().GetParticipants() {
			if p.Identity == "bob" {
				t.Error("bob was presented at once: this tests nothing")
			}
		}
	}
	ann.mu.Unlock()
	bob.sendData("_reliable", user("hello"))
	ann.until("bob's data", func() bool { return len(ann.data) == 1 })
	ann.info("bob", "presented", func(p *livekit.ParticipantInfo) bool { return p.State == livekit.ParticipantInfo_ACTIVE })
	// Who publishes is told of at once as well.
	cyd := s.connect(true, s.token("cyd", "r"))
	cyd.publish(audio, "mic")
	ann.info("cyd", "with a track", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 1 })
}

func TestRoomMetadataAtOnceAndCountsLater(t *testing.T) {
	t.Parallel()
	s := newServer(t, timing(func(t *sfu.Timing) { t.Counts = time.Second; t.Tick = 50 * time.Millisecond }))
	ann := s.connect(true, s.token("ann", "r"))
	if n := ann.joined.Room.NumParticipants; n != 1 {
		t.Errorf("the join says %d participants, herself included it is 1", n)
	}
	for i := range 5 {
		s.join(true, s.token(fmt.Sprint(i), "r"))
	}
	if _, err := s.sfu.Integration().SetMetadata("r", "first"); err != nil {
		t.Fatal(err)
	}
	ann.wait("metadata", func(m *livekit.SignalResponse) bool { return m.GetRoomUpdate().GetRoom().GetMetadata() == "first" })
	s.join(true, s.token("last", "r"))
	ann.wait("counts", func(m *livekit.SignalResponse) bool { return m.GetRoomUpdate().GetRoom().GetNumParticipants() == 7 })
}

func recorderToken(at *auth.AccessToken, _ *auth.VideoGrant) {
	at.SetKind(livekit.ParticipantInfo_EGRESS)
}

func agentToken(at *auth.AccessToken, _ *auth.VideoGrant) { at.SetKind(livekit.ParticipantInfo_AGENT) }

// A recorder takes no place, is told to everybody at once as a recording, and may
// subscribe to everything.
func TestRecorderParticipant(t *testing.T) {
	t.Parallel()
	s := newServer(t, limits(func(l *sfu.Limits) { l.Participants = 1 }))
	ann := s.connect(true, s.token("ann", "r"))
	ann.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_SubscriptionPermission{
		SubscriptionPermission: &livekit.SubscriptionPermission{}, // nobody
	}})
	mic, _, info := ann.publish(audio, "mic")
	feed(t, mic, nil)
	rec := s.connect(false, s.token("rec", "r", recorderToken, hidden))
	ann.wait("active recording", func(m *livekit.SignalResponse) bool { return m.GetRoomUpdate().GetRoom().GetActiveRecording() })
	rec.flows(info.Sid)
	ann.forget()
	rec.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Leave{Leave: &livekit.LeaveRequest{}}})
	ann.wait("end of the recording", func(m *livekit.SignalResponse) bool {
		return m.GetRoomUpdate() != nil && !m.GetRoomUpdate().Room.ActiveRecording
	})
	ann.mu.Lock()
	defer ann.mu.Unlock()
	for _, m := range ann.log {
		if n := m.GetRoomUpdate().GetRoom().GetNumParticipants(); n > 1 {
			t.Errorf("the recorder is counted: %d", n)
		}
	}
}

// An agent alone does not hold a room open, but is not thrown out of one in use.
func TestAgentsDoNotHoldARoomOpen(t *testing.T) {
	t.Parallel()
	s := newServer(t, timing(func(t *sfu.Timing) { t.Departure = time.Second; t.Tick = 50 * time.Millisecond }))
	agent := s.connect(true, s.token("agent", "r", agentToken))
	ann := s.connect(true, s.token("ann", "r"))
	ann.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Leave{Leave: &livekit.LeaveRequest{}}})
	if l := agent.wait("leave", isLeave).GetLeave(); l.Reason != livekit.DisconnectReason_ROOM_CLOSED || l.Action != livekit.LeaveRequest_DISCONNECT {
		t.Errorf("leave %v", l)
	}
	if s.sfu.Integration().Participants("r") != nil {
		t.Error("the room is still there")
	}
}
