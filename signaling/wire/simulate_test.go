package wire_test

import (
	"slices"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/sfu"
	"aparte/sfu/transport"
	"aparte/signaling/wire"
)

func dev(_ *transport.Config, c *sfu.Config, _ *wire.Config) { c.Dev = true }

func (c *client) simulate(s *livekit.SimulateScenario) {
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Simulate{Simulate: s}})
}

// ended waits for the server to close the signal connection.
func (c *client) ended() {
	c.t.Helper()
	done := make(chan struct{})
	go func() { c.readers.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(hang):
		c.t.Fatal("the signal connection stays open")
	}
}

func TestSimulatedLeaves(t *testing.T) {
	t.Parallel()
	s := newServer(t, dev)
	for _, tt := range []struct {
		name     string
		scenario *livekit.SimulateScenario
		reason   livekit.DisconnectReason
		action   livekit.LeaveRequest_Action
	}{
		{"server_leave", &livekit.SimulateScenario{Scenario: &livekit.SimulateScenario_ServerLeave{ServerLeave: true}}, livekit.DisconnectReason_PARTICIPANT_REMOVED, livekit.LeaveRequest_DISCONNECT},
		{"leave_request_full_reconnect", &livekit.SimulateScenario{Scenario: &livekit.SimulateScenario_LeaveRequestFullReconnect{LeaveRequestFullReconnect: true}}, livekit.DisconnectReason_STATE_MISMATCH, livekit.LeaveRequest_RECONNECT},
		{"switch_candidate_protocol", &livekit.SimulateScenario{Scenario: &livekit.SimulateScenario_SwitchCandidateProtocol{SwitchCandidateProtocol: livekit.CandidateProtocol_TCP}}, livekit.DisconnectReason_CONNECTION_TIMEOUT, livekit.LeaveRequest_RESUME},
	} {
		c := s.connect(true, s.token(tt.name, "r"))
		c.simulate(tt.scenario)
		l := c.wait("leave", isLeave).GetLeave()
		if l.Reason != tt.reason || l.Action != tt.action || l.CanReconnect != (tt.action != livekit.LeaveRequest_DISCONNECT) {
			t.Errorf("%s: %v", tt.name, l)
		}
		c.ended()
		if tt.action == livekit.LeaveRequest_RESUME {
			c.resume(s, s.token(tt.name, "r"), &livekit.SyncState{})
		}
	}
}

// As when a node dies: no leave, and the session is unknown afterwards.
func TestSimulatedNodeFailure(t *testing.T) {
	t.Parallel()
	s := newServer(t, dev)
	c := s.connect(true, s.token("ann", "r"))
	c.simulate(&livekit.SimulateScenario{Scenario: &livekit.SimulateScenario_NodeFailure{NodeFailure: true}})
	c.ended()
	c.mu.Lock()
	if slices.ContainsFunc(c.log, isLeave) {
		t.Errorf("a node that died said goodbye: %s", kinds(c.log))
	}
	c.mu.Unlock()
	c.drop()
	c.forget()
	c.dial(s, s.token("ann", "r"), c.resumeRequest())
	if l := c.wait("leave", isLeave).GetLeave(); l.Action != livekit.LeaveRequest_RECONNECT || l.Reason != livekit.DisconnectReason_STATE_MISMATCH {
		t.Errorf("leave %v", l)
	}
}

// The next resume fails in the way asked for, the one after it succeeds.
func TestSimulatedFailuresOfAResume(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t, dev)
		bob := s.connect(single, s.token("bob", "r"))
		ann := s.connect(single, s.token("ann", "r"))
		mic, _, info := bob.publish(audio, "mic")
		feed(t, mic, nil)
		for _, tt := range []struct {
			scenario *livekit.SimulateScenario
			messages bool
		}{
			{&livekit.SimulateScenario{Scenario: &livekit.SimulateScenario_DisconnectSignalOnResume{DisconnectSignalOnResume: true}}, true},
			{&livekit.SimulateScenario{Scenario: &livekit.SimulateScenario_DisconnectSignalOnResumeNoMessages{DisconnectSignalOnResumeNoMessages: true}}, false},
		} {
			ann.flows(info.Sid)
			ann.simulate(tt.scenario)
			ann.sync() // handled
			ann.drop()
			ann.ended()
			ann.forget()
			ann.dial(s, s.token("ann", "r"), ann.resumeRequest())
			ann.ended()
			ann.mu.Lock()
			if got := len(ann.log) > 0 && ann.log[0].GetReconnect() != nil; got != tt.messages || !tt.messages && len(ann.log) > 0 {
				t.Errorf("the failing resume said %s", kinds(ann.log))
			}
			ann.mu.Unlock()
			ann.resume(s, s.token("ann", "r"), &livekit.SyncState{})
			ann.again(info.Sid)
		}
	})
}

func TestSimulatedSpeaker(t *testing.T) {
	t.Parallel()
	s := newServer(t, dev, timing(func(t *sfu.Timing) { t.Tick = 50 * time.Millisecond }))
	ann := s.connect(true, s.token("ann", "r"))
	speaks := func(on bool) func(*livekit.SignalResponse) bool {
		return func(m *livekit.SignalResponse) bool {
			return slices.ContainsFunc(m.GetSpeakersChanged().GetSpeakers(), func(s *livekit.SpeakerInfo) bool {
				return s.Sid == ann.joined.Participant.Sid && s.Active == on
			})
		}
	}
	ann.simulate(&livekit.SimulateScenario{Scenario: &livekit.SimulateScenario_SpeakerUpdate{SpeakerUpdate: 1}})
	ann.wait("herself speaking", speaks(true))
	ann.wait("herself silent", speaks(false))
}

// Outside of --dev nobody can have anything go wrong.
func TestNothingIsSimulatedOutsideOfDev(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(true, s.token("ann", "r"))
	c.simulate(&livekit.SimulateScenario{Scenario: &livekit.SimulateScenario_ServerLeave{ServerLeave: true}})
	c.wait("refusal", func(m *livekit.SignalResponse) bool {
		return m.GetRequestResponse().GetReason() == livekit.RequestResponse_NOT_ALLOWED
	})
	if got := len(s.sfu.Integration().Participants("r")); got != 1 {
		t.Errorf("%d participants", got)
	}
}

// What each reason of an end tells a client to do. can_reconnect is what protocol
// 12 and below read.
func TestLeaveActions(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for reason, action := range map[livekit.DisconnectReason]livekit.LeaveRequest_Action{
		livekit.DisconnectReason_PARTICIPANT_REMOVED: livekit.LeaveRequest_DISCONNECT,
		livekit.DisconnectReason_ROOM_DELETED:        livekit.LeaveRequest_DISCONNECT,
		livekit.DisconnectReason_ROOM_CLOSED:         livekit.LeaveRequest_DISCONNECT,
		livekit.DisconnectReason_DUPLICATE_IDENTITY:  livekit.LeaveRequest_DISCONNECT,
		livekit.DisconnectReason_JOIN_FAILURE:        livekit.LeaveRequest_DISCONNECT,
		livekit.DisconnectReason_SERVER_SHUTDOWN:     livekit.LeaveRequest_RECONNECT,
		livekit.DisconnectReason_STATE_MISMATCH:      livekit.LeaveRequest_RECONNECT,
		livekit.DisconnectReason_MIGRATION:           livekit.LeaveRequest_RECONNECT,
		livekit.DisconnectReason_MEDIA_FAILURE:       livekit.LeaveRequest_RECONNECT,
	} {
		c := s.join(true, s.token(reason.String(), "r"))
		s.sfu.Integration().Remove("r", reason.String(), reason)
		l := c.wait("leave", isLeave).GetLeave()
		if l.Reason != reason || l.Action != action || l.CanReconnect != (action == livekit.LeaveRequest_RECONNECT) {
			t.Errorf("%v: %v", reason, l)
		}
		c.ended()
		c.mu.Lock()
		if !isLeave(c.log[len(c.log)-1]) {
			t.Errorf("%v: after the leave came %s", reason, kinds(c.log))
		}
		c.mu.Unlock()
	}
}

func protocol(sdk livekit.ClientInfo_SDK, n int32) clientOption {
	return func(_ *client, r *livekit.JoinRequest) { r.ClientInfo.Sdk, r.ClientInfo.Protocol = sdk, n }
}

// Old clients are not sent what they do not know.
func TestProtocolGates(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ask := func(c *client) {
		c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateMetadata{UpdateMetadata: &livekit.UpdateParticipantMetadata{RequestId: 9, Metadata: "m"}}})
		c.info(c.joined.Participant.Identity, "changed", func(p *livekit.ParticipantInfo) bool { return p.Metadata == "m" })
		// A refusal is for everybody that can read one.
		c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: &livekit.AddTrackRequest{}}})
		c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_PublishDataTrackRequest{PublishDataTrackRequest: &livekit.PublishDataTrackRequest{}}})
		c.addTrack(audio, "after the refusals")
	}
	for _, tt := range []struct {
		name         string
		sdk          livekit.ClientInfo_SDK
		protocol     int32
		ok, refusals int
	}{
		{"rust 9", livekit.ClientInfo_RUST, 9, 0, 0},
		{"rust 10", livekit.ClientInfo_RUST, 10, 0, 2},
		{"go 9", livekit.ClientInfo_GO, 9, 0, 2},
		{"android 13", livekit.ClientInfo_ANDROID, 13, 0, 2},
		{"js 15", livekit.ClientInfo_JS, 15, 1, 2},
		{"js 17", livekit.ClientInfo_JS, 17, 1, 2},
	} {
		c := s.connect(false, s.token(tt.name, "r"), protocol(tt.sdk, tt.protocol))
		ask(c)
		c.mu.Lock()
		ok, refusals := 0, 0
		for _, m := range c.log {
			if r := m.GetRequestResponse(); r.GetReason() == livekit.RequestResponse_OK && r != nil {
				ok++
			} else if r != nil {
				refusals++
			}
		}
		if ok != tt.ok || refusals != tt.refusals {
			t.Errorf("%s: %d answers of OK, want %d; %d refusals, want %d", tt.name, ok, tt.ok, refusals, tt.refusals)
		}
		c.mu.Unlock()
	}
}

// Below 13 a client knows no leave that asks to resume: the closed connection does.
func TestFailedMediaOfAnOldClient(t *testing.T) {
	t.Parallel()
	s := newServer(t, timing(func(t *sfu.Timing) { t.Tick = 50 * time.Millisecond }), shortICE)
	c := s.connect(false, s.token("ann", "r"), protocol(livekit.ClientInfo_GO, 12))
	if err := c.sub.SCTP().Transport().ICETransport().Stop(); err != nil { // without DTLS goodbye
		t.Fatal(err)
	}
	c.ended()
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.ContainsFunc(c.log, isLeave) {
		t.Errorf("it would join anew: %s", kinds(c.log))
	}
}
