package sdktest

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
)

func TestRoom(t *testing.T) {
	t.Parallel()
	ownMetadata := func(_ *auth.AccessToken, g *auth.VideoGrant) { g.SetCanUpdateOwnMetadata(true) }
	row(t, "part-states", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t)}
		alice := rawJoin(t, j, "alice", s).connect()
		bob := rawJoin(t, j, "bob", s)
		alice.info("bob", "comes", func(p *livekit.ParticipantInfo) bool { return p.State <= livekit.ParticipantInfo_JOINED })
		bob.connect()
		alice.info("bob", "is active", inState(livekit.ParticipantInfo_ACTIVE))
		bob.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Leave{Leave: &livekit.LeaveRequest{Reason: livekit.DisconnectReason_CLIENT_INITIATED}}})
		p := alice.info("bob", "goes", inState(livekit.ParticipantInfo_DISCONNECTED))
		if p.Sid != bob.sid() || p.DisconnectReason != livekit.DisconnectReason_CLIENT_INITIATED {
			t.Errorf("alice is told %v", p)
		}
	})
	row(t, "part-complete break-partial", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t), grant: ownMetadata}
		alice, bob := rawJoin(t, j, "alice", s).connect(), rawJoin(t, j, "bob", s).connect()
		a, v := alice.publish(livekit.TrackType_AUDIO, "voice"), alice.publish(livekit.TrackType_VIDEO, "camera")
		bob.info("alice", "has both", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 2 })
		bob.forget()
		alice.send(mute(a.sid(), true))
		alice.send(mute(v.sid(), true))
		alice.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateMetadata{UpdateMetadata: &livekit.UpdateParticipantMetadata{Metadata: "x"}}})
		bob.info("alice", "has metadata", func(p *livekit.ParticipantInfo) bool { return p.Metadata == "x" })
		for _, p := range bob.updates("alice") {
			if len(p.Tracks) != 2 || p.Permission == nil || p.Name != alice.join.Participant.Name || p.JoinedAt == 0 || p.State != livekit.ParticipantInfo_ACTIVE {
				t.Errorf("an update with less than everything: %v", p)
			}
		}
	})
	row(t, "part-version break-partial", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t), grant: ownMetadata}
		bob, alice := rawJoin(t, j, "bob", s), rawJoin(t, j, "alice", s).connect()
		a := alice.publish(livekit.TrackType_AUDIO, "voice")
		alice.send(mute(a.sid(), true))
		alice.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateMetadata{UpdateMetadata: &livekit.UpdateParticipantMetadata{Metadata: "x"}}})
		a.unpublish()
		alice.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Leave{Leave: &livekit.LeaveRequest{}}})
		bob.info("alice", "goes", inState(livekit.ParticipantInfo_DISCONNECTED))
		last := uint32(0)
		for _, p := range bob.updates("alice") {
			if p.Version <= last {
				t.Errorf("version %d after %d", p.Version, last)
			}
			last = p.Version
		}
		if last < 5 {
			t.Errorf("only %d versions", last)
		}
	})
	row(t, "room-counts", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t)}
		alice, bob := rawJoin(t, j, "alice", s).connect(), rawJoin(t, j, "bob", s).connect()
		alice.wait("two participants", func(m *livekit.SignalResponse) bool { return m.GetRoomUpdate().GetRoom().GetNumParticipants() == 2 })
		bob.publish(livekit.TrackType_AUDIO, "voice")
		alice.wait("one publisher", func(m *livekit.SignalResponse) bool { return m.GetRoomUpdate().GetRoom().GetNumPublishers() == 1 })
		bob.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Leave{Leave: &livekit.LeaveRequest{}}})
		alice.wait("one participant", func(m *livekit.SignalResponse) bool {
			r := m.GetRoomUpdate().GetRoom()
			return r != nil && r.NumParticipants == 1 && r.NumPublishers == 0 && strings.HasPrefix(r.Sid, "RM_")
		})
	})
	row(t, "meta-update", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t), grant: func(a *auth.AccessToken, g *auth.VideoGrant) {
			g.SetCanUpdateOwnMetadata(true)
			a.SetName("Alice").SetMetadata("old").SetAttributes(map[string]string{"hand": "down", "floor": "3"})
		}}
		alice, bob := rawJoin(t, j, "alice", s), rawJoin(t, j, "bob", s)
		update := func(u *livekit.UpdateParticipantMetadata) {
			alice.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateMetadata{UpdateMetadata: u}})
		}
		update(&livekit.UpdateParticipantMetadata{RequestId: 71, Attributes: map[string]string{"hand": "up", "floor": ""}})
		if r := alice.refusal(livekit.RequestResponse_OK); r.RequestId != 71 {
			t.Errorf("the answer is to %d", r.RequestId)
		}
		for _, c := range []*rawClient{alice, bob} {
			p := c.info("alice", "raised the hand", func(p *livekit.ParticipantInfo) bool { return p.Attributes["hand"] == "up" })
			if !maps.Equal(p.Attributes, map[string]string{"hand": "up"}) || p.Name != "Alice" || p.Metadata != "old" {
				t.Errorf("%s sees %v", c.name, p)
			}
		}
		update(&livekit.UpdateParticipantMetadata{RequestId: 72, Metadata: strings.Repeat("x", 70<<10)})
		if r := alice.refusal(livekit.RequestResponse_LIMIT_EXCEEDED); r.RequestId != 72 {
			t.Errorf("the refusal is of %d", r.RequestId)
		}
	})
	row(t, "meta-refused", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t)}
		alice := rawJoin(t, j, "alice", s)
		alice.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateMetadata{UpdateMetadata: &livekit.UpdateParticipantMetadata{RequestId: 73, Name: "Chair"}}})
		if r := alice.refusal(livekit.RequestResponse_NOT_ALLOWED); r.RequestId != 73 {
			t.Errorf("the refusal is of %d", r.RequestId)
		}
		if p := rawJoin(t, j, "bob", s).join.OtherParticipants; len(p) != 1 || p[0].Name != "" {
			t.Errorf("bob sees %v", p)
		}
	})
	row(t, "dup-identity break-kick", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t)}
		bob := rawJoin(t, j, "bob", s)
		first := rawJoin(t, j, "alice", s)
		second := rawJoin(t, j, "alice", s)
		if l := first.leave(); l.Reason != livekit.DisconnectReason_DUPLICATE_IDENTITY || l.Action != livekit.LeaveRequest_DISCONNECT {
			t.Errorf("the first is told %v", l)
		}
		bob.info("alice", "comes again", func(p *livekit.ParticipantInfo) bool { return p.Sid == second.sid() })
		states := bob.updates("alice")
		gone := slices.IndexFunc(states, func(p *livekit.ParticipantInfo) bool {
			return p.Sid == first.sid() && p.State == livekit.ParticipantInfo_DISCONNECTED
		})
		come := slices.IndexFunc(states, func(p *livekit.ParticipantInfo) bool { return p.Sid == second.sid() })
		if gone < 0 || come < gone {
			t.Errorf("bob sees %v", states)
		}
	})
	row(t, "hidden", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t)}
		alice := rawJoin(t, j, "alice", s).connect()
		hide := s
		hide.grant = func(_ *auth.AccessToken, g *auth.VideoGrant) { g.Hidden = true }
		ghost := rawJoin(t, j, "ghost", hide).connect()
		ghost.say("_reliable", user("boo"))
		p := alice.heard("boo")
		if p.ParticipantIdentity != "" || p.ParticipantSid != "" || p.GetUser().ParticipantIdentity != "" { //nolint:staticcheck // clients still read it
			t.Errorf("the hidden sender is %v", p)
		}
		bob := rawJoin(t, j, "bob", s)
		alice.info("bob", "comes", func(*livekit.ParticipantInfo) bool { return true })
		if len(alice.updates("ghost")) > 0 || len(bob.join.OtherParticipants) != 1 || bob.join.Room.NumParticipants > 2 {
			t.Errorf("the hidden one shows: %v, %v", alice.updates("ghost"), bob.join)
		}
	})
	row(t, "recorder", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t)}
		alice := rawJoin(t, j, "alice", s)
		tape := s
		tape.grant = func(a *auth.AccessToken, g *auth.VideoGrant) {
			a.SetKind(livekit.ParticipantInfo_EGRESS)
			g.Hidden = true
		}
		c := rawJoin(t, j, "tape", tape)
		alice.wait("recording", func(m *livekit.SignalResponse) bool { return m.GetRoomUpdate().GetRoom().GetActiveRecording() })
		if !rawJoin(t, j, "bob", s).join.Room.ActiveRecording {
			t.Error("bob is not told that he is recorded")
		}
		alice.forget()
		c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Leave{Leave: &livekit.LeaveRequest{}}})
		alice.wait("end of recording", func(m *livekit.SignalResponse) bool {
			return m.GetRoomUpdate() != nil && !m.GetRoomUpdate().Room.ActiveRecording
		})
	})
	row(t, "room-agents", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t), grant: func(a *auth.AccessToken, _ *auth.VideoGrant) {
			a.SetRoomConfig(&livekit.RoomConfiguration{MaxParticipants: 1})
		}}
		agent := s
		agent.grant = func(a *auth.AccessToken, g *auth.VideoGrant) { s.grant(a, g); a.SetKind(livekit.ParticipantInfo_AGENT) }
		rawJoin(t, j, "agent", agent)
		rawJoin(t, j, "alice", s)
		if status, _ := s.refused(t, "bob"); status != 503 {
			t.Errorf("a second guest: %d", status)
		}
	})
}
