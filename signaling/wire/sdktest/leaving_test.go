package sdktest

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"github.com/pion/webrtc/v4"
)

func TestLeaving(t *testing.T) {
	t.Parallel()
	row(t, "leave-then-close", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t)}
		alice := rawJoin(t, j, "alice", s)
		rawJoin(t, j, "alice", s)
		alice.leave()
		if names := alice.names(); names[len(names)-1] != "Leave" {
			t.Errorf("the last messages are %v", names)
		}
	})
	row(t, "leave-shutdown break-kick", func(t *testing.T) {
		j := newJournal(t)
		srv := ownServer(t, t.TempDir())
		alice := rawJoin(t, j, "alice", rawSetup{room: roomName(t), server: srv}).connect()
		if err := srv.stop(); err != nil {
			t.Error(err)
		}
		if l := alice.leave(); l.Reason != livekit.DisconnectReason_SERVER_SHUTDOWN || l.Action != livekit.LeaveRequest_RECONNECT || !l.CanReconnect {
			t.Errorf("told %v", l)
		}
	})
	row(t, "leave-not-connected", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t)}
		alice := rawJoin(t, j, "alice", s) // and never a media connection
		alice.untilLate(2*time.Minute, "leave", func() bool {
			return slices.ContainsFunc(alice.log, func(m *livekit.SignalResponse) bool { return m.GetLeave() != nil })
		})
		if l := alice.leave(); l.Reason != livekit.DisconnectReason_JOIN_FAILURE || l.Action != livekit.LeaveRequest_DISCONNECT {
			t.Errorf("told %v", l)
		}
	})
	row(t, "leave-media-lost", func(t *testing.T) {
		j := newJournal(t)
		hole := &blackHole{}
		alice := rawJoin(t, j, "alice", rawSetup{room: roomName(t), hole: hole}).connect()
		hole.open.Store(true)
		alice.untilLate(2*time.Minute, "leave", func() bool {
			return slices.ContainsFunc(alice.log, func(m *livekit.SignalResponse) bool { return m.GetLeave() != nil })
		})
		if l := alice.leave(); l.Action != livekit.LeaveRequest_RESUME || !l.CanReconnect {
			t.Errorf("told %v", l)
		}
	})
	row(t, "sim-server-leave", func(t *testing.T) {
		j := newJournal(t)
		alice := rawJoin(t, j, "alice", rawSetup{room: roomName(t)})
		alice.send(simulate(&livekit.SimulateScenario{Scenario: &livekit.SimulateScenario_ServerLeave{ServerLeave: true}}))
		if l := alice.leave(); l.Action != livekit.LeaveRequest_DISCONNECT || l.CanReconnect {
			t.Errorf("told %v", l)
		}
	})
	row(t, "sim-full-reconnect", func(t *testing.T) {
		j := newJournal(t)
		alice := rawJoin(t, j, "alice", rawSetup{room: roomName(t)})
		alice.send(simulate(&livekit.SimulateScenario{Scenario: &livekit.SimulateScenario_LeaveRequestFullReconnect{LeaveRequestFullReconnect: true}}))
		if l := alice.leave(); l.Action != livekit.LeaveRequest_RECONNECT {
			t.Errorf("told %v", l)
		}
	})
	row(t, "sim-node-failure", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t)}
		alice, bob := rawJoin(t, j, "alice", s), rawJoin(t, j, "bob", s)
		alice.send(simulate(&livekit.SimulateScenario{Scenario: &livekit.SimulateScenario_NodeFailure{NodeFailure: true}}))
		alice.gone()
		if slices.Contains(alice.names(), "Leave") {
			t.Error("a crash says good-bye")
		}
		bob.info("alice", "is gone", inState(livekit.ParticipantInfo_DISCONNECTED))
		alice.resume()
		if l := alice.leave(); l.Action != livekit.LeaveRequest_RECONNECT {
			t.Errorf("a resume after it is told %v", l)
		}
	})
	row(t, "sim-resume", func(t *testing.T) {
		j := newJournal(t)
		alice := rawJoin(t, j, "alice", rawSetup{room: roomName(t)}).connect()
		for _, c := range []struct {
			scenario *livekit.SimulateScenario
			hears    bool // of the resume that fails
		}{
			{&livekit.SimulateScenario{Scenario: &livekit.SimulateScenario_DisconnectSignalOnResume{DisconnectSignalOnResume: true}}, true},
			{&livekit.SimulateScenario{Scenario: &livekit.SimulateScenario_DisconnectSignalOnResumeNoMessages{DisconnectSignalOnResumeNoMessages: true}}, false},
		} {
			alice.send(simulate(c.scenario))
			alice.settle()
			alice.cut()
			alice.resume()
			alice.gone()
			if got := slices.Contains(alice.names(), "Reconnect"); got != c.hears || slices.Contains(alice.names(), "Leave") {
				t.Errorf("the resume that fails says %v", alice.names())
			}
			alice.resume()
			alice.wait("reconnect", func(m *livekit.SignalResponse) bool { return m.GetReconnect() != nil })
		}
	})
	row(t, "sim-speaker", func(t *testing.T) {
		j := newJournal(t)
		alice := rawJoin(t, j, "alice", rawSetup{room: roomName(t)}).connect()
		alice.send(simulate(&livekit.SimulateScenario{Scenario: &livekit.SimulateScenario_SpeakerUpdate{SpeakerUpdate: 1}}))
		for _, active := range []bool{true, false} {
			alice.wait("speaking", func(m *livekit.SignalResponse) bool {
				return slices.ContainsFunc(m.GetSpeakersChanged().GetSpeakers(), func(s *livekit.SpeakerInfo) bool { return s.Sid == alice.sid() && s.Active == active })
			})
		}
	})
	row(t, "sim-candidates", func(t *testing.T) {
		j := newJournal(t)
		alice := rawJoin(t, j, "alice", rawSetup{room: roomName(t)}).connect()
		alice.send(simulate(&livekit.SimulateScenario{Scenario: &livekit.SimulateScenario_SwitchCandidateProtocol{SwitchCandidateProtocol: livekit.CandidateProtocol_UDP}}))
		if l := alice.leave(); l.Action != livekit.LeaveRequest_RESUME || !l.CanReconnect {
			t.Errorf("told %v", l)
		}
		alice.resume()
		alice.wait("reconnect", func(m *livekit.SignalResponse) bool { return m.GetReconnect() != nil })
	})
}

func TestResuming(t *testing.T) {
	t.Parallel()
	both := func(t *testing.T, f func(t *testing.T, j *journal, s rawSetup)) {
		for _, single := range []bool{false, true} {
			f(t, newJournal(t), rawSetup{room: roomName(t), single: single})
		}
	}
	row(t, "resume-first break-resume", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			s.grant = func(_ *auth.AccessToken, g *auth.VideoGrant) { g.SetCanUpdateOwnMetadata(true) }
			alice, bob := rawJoin(t, j, "alice", s).connect(), rawJoin(t, j, "bob", s).connect()
			quit := make(chan struct{})
			chatter := make(chan struct{})
			go func() { // somebody who speaks all the time
				defer close(chatter)
				for i := 0; ; i++ {
					select {
					case <-quit:
						return
					case <-time.After(20 * time.Millisecond):
						bob.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateMetadata{UpdateMetadata: &livekit.UpdateParticipantMetadata{Metadata: fmt.Sprint(i)}}})
					}
				}
			}()
			for range 3 {
				alice.cut()
				alice.resume()
				first := alice.wait("first message", func(*livekit.SignalResponse) bool { return true })
				if first.GetReconnect().GetServerInfo().GetVersion() == "" {
					t.Errorf("the first message is %s", brief(first))
				}
				alice.info("bob", "goes on", func(p *livekit.ParticipantInfo) bool { return p.Metadata != "" })
			}
			close(quit)
			<-chatter
			if slices.Contains(alice.names(), "Join") {
				t.Error("a resume is answered with a join")
			}
		})
	})
	row(t, "resume-picture", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			alice, bob, carol := rawJoin(t, j, "alice", s).connect(), rawJoin(t, j, "bob", s), rawJoin(t, j, "carol", s)
			bob.settle()
			alice.info("carol", "is there", func(*livekit.ParticipantInfo) bool { return true })
			alice.cut()
			carol.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Leave{Leave: &livekit.LeaveRequest{}}})
			bob.info("carol", "is gone", inState(livekit.ParticipantInfo_DISCONNECTED))
			alice.resume()
			p := alice.info("carol", "is gone", inState(livekit.ParticipantInfo_DISCONNECTED))
			if p.Sid != carol.sid() {
				t.Errorf("carol was %s, is %v", carol.sid(), p)
			}
			alice.info("bob", "is there", func(p *livekit.ParticipantInfo) bool { return p.Sid == bob.sid() })
			alice.info("alice", "is there", func(p *livekit.ParticipantInfo) bool { return p.Sid == alice.sid() })
			alice.wait("RoomUpdate", func(m *livekit.SignalResponse) bool { return m.GetRoomUpdate().GetRoom().GetName() == s.room })
			if len(bob.updates("alice")) > 0 && bob.updates("alice")[len(bob.updates("alice"))-1].State == livekit.ParticipantInfo_DISCONNECTED {
				t.Error("others saw alice leave")
			}
		})
	})
	row(t, "resume-sequence", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			alice, bob := rawJoin(t, j, "alice", s).connect(), rawJoin(t, j, "bob", s).connect()
			say := func(seq uint32) {
				p := user(fmt.Sprint(seq))
				p.Sequence = seq
				alice.say("_reliable", p)
			}
			say(1)
			say(2)
			bob.heard("2")
			alice.cut()
			alice.resume()
			r := alice.wait("reconnect", func(m *livekit.SignalResponse) bool { return m.GetReconnect() != nil }).GetReconnect()
			if r.LastMessageSeq != 2 {
				t.Errorf("the last was %d", r.LastMessageSeq)
			}
			say(2) // what it is not sure of
			say(3)
			bob.heard("3")
			if got := texts(bob); !slices.Equal(got, []string{"1", "2", "3"}) {
				t.Errorf("bob heard %q", got)
			}
		})
	})
	row(t, "resume-ice-down", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t)}
		alice := rawJoin(t, j, "alice", s).connect()
		bob := rawJoin(t, j, "bob", s).connect()
		voice := bob.publish(livekit.TrackType_AUDIO, "voice")
		voice.play()
		alice.receives(voice.sid(), 5)
		before := ufrag(alice.lastOfServer().Sdp)
		alice.cut()
		alice.resume()
		offer := alice.wait("offer", func(m *livekit.SignalResponse) bool { return m.GetOffer() != nil }).GetOffer()
		if after := ufrag(offer.Sdp); after == before || after == "" {
			t.Errorf("the ICE names are %q before and %q after", before, after)
		}
		alice.moreOf(voice.sid(), 50)
	})
	row(t, "resume-ice-up", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			alice := rawJoin(t, j, "alice", s).connect()
			bob := rawJoin(t, j, "bob", s).connect()
			voice := alice.publish(livekit.TrackType_AUDIO, "voice")
			voice.play()
			bob.receives(voice.sid(), 5)
			before := ufrag(alice.pub.RemoteDescription().SDP)
			alice.cut()
			alice.resume()
			alice.wait("reconnect", func(m *livekit.SignalResponse) bool { return m.GetReconnect() != nil })
			alice.nego.Lock()
			answer := alice.exchange(&webrtc.OfferOptions{ICERestart: true})
			alice.nego.Unlock()
			if after := ufrag(answer.GetSdp()); after == before || after == "" {
				t.Errorf("the ICE names are %q before and %q after", before, after)
			}
			bob.moreOf(voice.sid(), 50)
		})
	})
	row(t, "resume-replay", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			alice, bob := rawJoin(t, j, "alice", s).connect(), rawJoin(t, j, "bob", s).connect()
			// The server keeps packets for some seconds: a machine that stands
			// still for longer gets another try.
			for try := uint32(1); ; try++ {
				alice.mu.Lock()
				alice.data = nil
				alice.mu.Unlock()
				for seq := 2*try - 1; seq <= 2*try; seq++ {
					p := user(fmt.Sprint(seq))
					p.Sequence = seq
					bob.say("_reliable", p)
				}
				alice.heard(fmt.Sprint(2 * try))
				// What SCTP has not acknowledged is not sent again: it comes. A receiver
				// acknowledges every second packet at once, one alone after 200 ms.
				fill := []string{fmt.Sprint("fill ", try, "a"), fmt.Sprint("fill ", try, "b")}
				for _, text := range fill {
					bob.say("_reliable", user(text))
					alice.heard(text)
				}
				alice.cut()
				alice.resume()
				alice.wait("reconnect", func(m *livekit.SignalResponse) bool { return m.GetReconnect() != nil })
				alice.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_SyncState{SyncState: &livekit.SyncState{
					DatachannelReceiveStates: []*livekit.DataChannelReceiveState{{PublisherSid: bob.sid(), LastSeq: 2*try - 1}},
				}}})
				alice.settle()
				after := fmt.Sprint("after ", try)
				bob.say("_reliable", user(after))
				alice.heard(after)
				want := []string{fmt.Sprint(2*try - 1), fmt.Sprint(2 * try), fill[0], fill[1], fmt.Sprint(2 * try), after}
				got := texts(alice)
				if slices.Equal(got, want) {
					if n := alice.heard(fmt.Sprint(2 * try)).Sequence; n != 2*try {
						t.Errorf("what is sent again has number %d", n)
					}
					return
				}
				if try == 10 {
					t.Fatalf("alice heard %q, want %q", got, want)
				}
			}
		})
	})
	row(t, "resume-mismatch", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			alice := rawJoin(t, j, "alice", s).connect()
			alice.cut()
			alice.resume()
			alice.wait("reconnect", func(m *livekit.SignalResponse) bool { return m.GetReconnect() != nil })
			alice.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_SyncState{SyncState: &livekit.SyncState{
				PublishTracks: []*livekit.TrackPublishedResponse{{Cid: "x", Track: &livekit.TrackInfo{Sid: "TR_unheard_of"}}},
			}}})
			if l := alice.leave(); l.Action != livekit.LeaveRequest_RECONNECT || l.Reason != livekit.DisconnectReason_STATE_MISMATCH {
				t.Errorf("told %v", l)
			}
		})
	})
	row(t, "resume-wishes", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			bob := rawJoin(t, j, "bob", rawSetup{room: s.room}).connect()
			witness, dark, unwanted := bob.publish(livekit.TrackType_AUDIO, "a"), bob.publish(livekit.TrackType_VIDEO, "b"), bob.publish(livekit.TrackType_AUDIO, "c")
			alice := rawJoin(t, j, "alice", s).connect()
			own := alice.publish(livekit.TrackType_AUDIO, "own")
			for _, tr := range []*rawTrack{witness, dark, unwanted} {
				tr.play()
				alice.receives(tr.sid(), 2)
			}
			alice.cut()
			alice.resume()
			alice.wait("reconnect", func(m *livekit.SignalResponse) bool { return m.GetReconnect() != nil })
			alice.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_SyncState{SyncState: &livekit.SyncState{
				PublishTracks:     []*livekit.TrackPublishedResponse{{Cid: "own", Track: own.info}},
				TrackSidsDisabled: []string{dark.sid()},
				Subscription:      &livekit.UpdateSubscription{TrackSids: []string{unwanted.sid()}, Subscribe: false},
			}}})
			alice.settle()
			alice.moreOf(witness.sid(), 25)
			count := func() (n int) {
				alice.mu.Lock()
				defer alice.mu.Unlock()
				return alice.packets[dark.sid()] + alice.packets[unwanted.sid()]
			}
			before := count()
			alice.moreOf(witness.sid(), 50)
			if n := count() - before; n > 0 {
				t.Errorf("%d packets of what the state says is unwanted", n)
			}
			if slices.Contains(alice.names(), "Leave") {
				t.Error("a good state is refused")
			}
		})
	})
	row(t, "resume-unknown", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			ghost := rawPrepare(t, j, "ghost", s)
			ghost.join = &livekit.JoinResponse{Participant: &livekit.ParticipantInfo{Sid: "PA_unheard_of"}}
			ghost.resume() // is upgraded: not 401, not 404
			l := ghost.leave()
			if l.Action != livekit.LeaveRequest_RECONNECT || l.Reason != livekit.DisconnectReason_STATE_MISMATCH || !l.CanReconnect {
				t.Errorf("told %v", l)
			}
			if names := ghost.names(); names[0] != "Leave" {
				t.Errorf("told %v", names)
			}
			bad := s
			bad.token = "nonsense"
			if !s.single {
				bad.query = map[string][]string{"reconnect": {"1"}}
			}
			if status, _ := bad.refused(t, "ghost"); status != http.StatusUnauthorized {
				t.Errorf("a resume with a bad token: %d", status)
			}
		})
	})
	row(t, "resume-by-identity", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			alice := rawJoin(t, j, "alice", s).connect()
			sid := alice.sid()
			alice.cut()
			alice.join.Participant.Sid = "" // the client names none
			alice.resume()
			alice.info("alice", "is there", func(p *livekit.ParticipantInfo) bool { return p.Sid == sid })
		})
	})
	row(t, "resume-away", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			alice, bob := rawJoin(t, j, "alice", s).connect(), rawJoin(t, j, "bob", s).connect()
			voice := alice.publish(livekit.TrackType_AUDIO, "voice")
			voice.play()
			bob.receives(voice.sid(), 5)
			alice.cut()
			bob.moreOf(voice.sid(), 150) // three seconds
			if slices.ContainsFunc(bob.updates("alice"), inState(livekit.ParticipantInfo_DISCONNECTED)) {
				t.Error("who lost only the signal is gone")
			}
		})
	})
	row(t, "full-reconnect", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			bob, first := rawJoin(t, j, "bob", s).connect(), rawJoin(t, j, "alice", s).connect()
			old := first.publish(livekit.TrackType_AUDIO, "voice")
			old.play()
			bob.receives(old.sid(), 5)
			first.cut()
			second := rawJoin(t, j, "alice", s).connect()
			again := second.publish(livekit.TrackType_AUDIO, "voice")
			again.play()
			bob.receives(again.sid(), 5)
			bob.info("alice", "was replaced", func(p *livekit.ParticipantInfo) bool {
				return p.Sid == first.sid() && p.State == livekit.ParticipantInfo_DISCONNECTED
			})
		})
	})
}

// resume opens another WebSocket for the session that the client has.
func (c *rawClient) resume() {
	c.t.Helper()
	c.forget()
	sid := c.sid()
	c.s.query = map[string][]string{"reconnect": {"1"}, "sid": {sid}}
	if c.s.single {
		c.s.query = nil
		c.s.edit = func(r *livekit.JoinRequest) { r.Reconnect, r.ParticipantSid = true, sid }
	}
	c.dial()
}

// untilLate is until with another limit, for what the protocol lets take long.
func (c *rawClient) untilLate(limit time.Duration, what string, holds func() bool) {
	c.t.Helper()
	late := time.After(limit)
	for {
		changed := c.j.next()
		c.mu.Lock()
		done := holds()
		c.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-late:
			c.t.Fatalf("%s: waited %s in vain: %s", c.name, limit, what)
		}
	}
}

// ufrag is the ICE user name of a description.
func ufrag(sdp string) string {
	_, rest, _ := strings.Cut(sdp, "a=ice-ufrag:")
	name, _, _ := strings.Cut(rest, "\r\n")
	return name
}

// blackHole swallows what a client sends and is sent while it is open.
type blackHole struct{ open atomic.Bool }

type holeConn struct {
	net.PacketConn
	hole *blackHole
}

func (c *holeConn) WriteTo(b []byte, to net.Addr) (int, error) {
	if c.hole.open.Load() {
		return len(b), nil
	}
	return c.PacketConn.WriteTo(b, to)
}

func (c *holeConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.PacketConn.ReadFrom(b)
		if err != nil || !c.hole.open.Load() {
			return n, from, err
		}
	}
}
