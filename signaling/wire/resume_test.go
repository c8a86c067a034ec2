package wire_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"

	"aparte/sfu"
)

func (c *client) resumeRequest() *livekit.JoinRequest {
	return &livekit.JoinRequest{
		ClientInfo:         &livekit.ClientInfo{Sdk: livekit.ClientInfo_JS, Protocol: 17},
		ConnectionSettings: &livekit.ConnectionSettings{AutoSubscribe: true},
		Reconnect:          true, ParticipantSid: c.joined.Participant.Sid,
	}
}

// sync waits until the server has handled what was sent before.
func (c *client) sync() {
	c.t.Helper()
	c.asked++
	id := c.asked
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateMetadata{UpdateMetadata: &livekit.UpdateParticipantMetadata{RequestId: id}}})
	c.wait("answer", func(m *livekit.SignalResponse) bool { return m.GetRequestResponse().GetRequestId() == id })
}

// again waits for new packets of a track.
func (c *client) again(track string) {
	c.t.Helper()
	c.mu.Lock()
	c.packets[track] = 0
	c.mu.Unlock()
	c.flows(track)
}

// tryResume opens a connection that resumes and takes its first message alone.
func (c *client) tryResume(s *server) *websocket.Conn {
	c.t.Helper()
	header := http.Header{"Authorization": {"Bearer " + s.token(c.joined.Participant.Identity, "r")}}
	ws, resp, err := websocket.DefaultDialer.Dial(joinURL(s, c.single, c.resumeRequest()), header)
	if err != nil {
		c.t.Fatal(err)
	}
	resp.Body.Close()
	_, raw, err := ws.ReadMessage()
	var first livekit.SignalResponse
	if err != nil || proto.Unmarshal(raw, &first) != nil || first.GetReconnect() == nil {
		c.t.Fatalf("the resume got %v, %v", &first, err)
	}
	return ws
}

func ufrag(sdp string) string {
	_, rest, _ := strings.Cut(sdp, "a=ice-ufrag:")
	line, _, _ := strings.Cut(rest, "\r\n")
	return line
}

// The answer to our offer may be lost with the signal: the offer is repeated, and
// the restart of ICE follows its answer.
func TestResumeDuringAnOutstandingOffer(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(false, s.token("ann", "r"))
	mic, _, info := ann.publish(audio, "mic")
	feed(t, mic, nil)
	bob := s.join(false, s.token("bob", "r"), passive)
	bob.openChannels()
	isOffer := func(m *livekit.SignalResponse) bool { return m.GetOffer() != nil }
	first := bob.wait("offer", isOffer).GetOffer()
	bob.mu.Lock()
	bob.manual = false
	bob.mu.Unlock()
	bob.reconnect(s, s.token("bob", "r"), &livekit.SyncState{})
	bob.negotiate()
	repeated := bob.wait("offer", isOffer).GetOffer()
	if repeated.Id != first.Id || repeated.Sdp != first.Sdp {
		t.Errorf("offer %d was repeated as %d", first.Id, repeated.Id)
	}
	next := bob.wait("next offer", func(m *livekit.SignalResponse) bool { return m.GetOffer().GetId() > first.Id }).GetOffer()
	if ufrag(next.Sdp) == ufrag(first.Sdp) {
		t.Error("the offer after it does not restart ICE")
	}
	bob.waitActive()
	bob.flows(info.Sid)
}

func TestResumeThatDiesAtOnce(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t)
		ann := s.connect(single, s.token("ann", "r"))
		bob := s.connect(single, s.token("bob", "r"))
		mic, _, info := bob.publish(audio, "mic")
		feed(t, mic, nil)
		ann.flows(info.Sid)
		ann.drop()
		for range 3 {
			ann.tryResume(s).Close()
		}
		ann.resume(s, s.token("ann", "r"), &livekit.SyncState{})
		ann.again(info.Sid)
		back, _, backInfo := ann.publish(audio, "mic")
		feed(t, back, nil)
		bob.flows(backInfo.Sid)
		if got := len(s.sfu.Integration().Participants("r")); got != 2 {
			t.Errorf("%d participants", got)
		}
	})
}

// The later of two resumes has the session; the other's connection is closed.
func TestTwoResumesAtOnce(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t)
		ann := s.connect(single, s.token("ann", "r"))
		bob := s.connect(single, s.token("bob", "r"))
		mic, _, info := bob.publish(audio, "mic")
		feed(t, mic, nil)
		ann.flows(info.Sid)
		ann.drop()
		other := ann.tryResume(s)
		defer other.Close()
		ann.resume(s, s.token("ann", "r"), &livekit.SyncState{})
		var err error
		for err == nil {
			_, _, err = other.ReadMessage()
		}
		if !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
			t.Errorf("the first resume ended with %v", err)
		}
		ann.again(info.Sid)
	})
}

// What comes late on the connection that was replaced must not end the session.
func TestGoodbyeOfTheOldConnection(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(true, s.token("ann", "r"), func(c *client, _ *livekit.JoinRequest) { c.rude = true })
	ann.mu.Lock()
	old := ann.ws
	ann.ws = nil
	ann.mu.Unlock()
	ann.dial(s, s.token("ann", "r"), ann.resumeRequest())
	ann.wait("reconnect", func(m *livekit.SignalResponse) bool { return m.GetReconnect() != nil })
	raw, err := proto.Marshal(&livekit.SignalRequest{Message: &livekit.SignalRequest_Leave{Leave: &livekit.LeaveRequest{}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := old.WriteMessage(websocket.BinaryMessage, raw); err != nil {
		t.Fatal(err)
	}
	s.eventually("a stale message", func() bool { return s.sfu.Stats().StaleSignals == 1 })
	ann.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateMetadata{UpdateMetadata: &livekit.UpdateParticipantMetadata{Metadata: "still here"}}})
	ann.info("ann", "still here", func(p *livekit.ParticipantInfo) bool { return p.Metadata == "still here" })
}

// The sync state says what deviates from auto-subscription now, and what is off.
func TestSyncStateIsApplied(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t)
		ann := s.connect(single, s.token("ann", "r"))
		mic, _, micInfo := ann.publish(audio, "mic")
		cam, _, camInfo := ann.publish(video, "cam")
		feed(t, mic, nil)
		feed(t, cam, nil)
		sound, _, soundInfo := ann.publish(audio, "sound")
		feed(t, sound, nil)
		bob := s.connect(single, s.token("bob", "r"), manualSubscribe)
		all := []string{micInfo.Sid, camInfo.Sid, soundInfo.Sid}
		bob.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Subscription{Subscription: &livekit.UpdateSubscription{TrackSids: all, Subscribe: true}}})
		for _, sid := range all {
			bob.flows(sid)
		}
		bob.resume(s, s.token("bob", "r"), &livekit.SyncState{
			// The wish for the microphone was taken back meanwhile.
			Subscription:      &livekit.UpdateSubscription{TrackSids: all[1:], Subscribe: true},
			TrackSidsDisabled: []string{camInfo.Sid},
		})
		bob.again(soundInfo.Sid)
		bob.quiet(micInfo.Sid)
		bob.quiet(camInfo.Sid)
		bob.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_TrackSetting{TrackSetting: &livekit.UpdateTrackSettings{TrackSids: []string{camInfo.Sid}, Quality: livekit.VideoQuality_HIGH}}})
		bob.again(camInfo.Sid)
	})
}

// A resumed client says what it has of each sender; the rest is sent again, in
// order and once. Who says nothing could not tell doubles, and gets none.
func TestReliableDataIsReplayedOnResume(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t, timing(func(t *sfu.Timing) { t.Replay = time.Hour }))
		ann := s.connect(single, s.token("ann", "r"))
		bob := s.connect(single, s.token("bob", "r"))
		say := func(from, to int) {
			for seq := from; seq <= to; seq++ {
				p := user(fmt.Sprint(seq))
				p.Sequence = uint32(seq)
				ann.sendData("_reliable", p)
			}
		}
		got := func(want string) {
			t.Helper()
			n := len(strings.Fields(want))
			bob.until("packets "+want, func() bool { return len(bob.data) >= n })
			bob.mu.Lock()
			defer bob.mu.Unlock()
			if texts := strings.Join(bob.texts(), " "); texts != want {
				t.Errorf("bob got %s, want %s", texts, want)
			}
			bob.data = nil
		}
		say(1, 5)
		got("1 2 3 4 5")
		states := func(last uint32) []*livekit.DataChannelReceiveState {
			return []*livekit.DataChannelReceiveState{{PublisherSid: ann.joined.Participant.Sid, LastSeq: last}}
		}
		replayed := func() bool { return s.sfu.Stats().DataReplayed == 2 }
		for range 10 {
			// What SCTP has not acknowledged is not sent again: it comes. A receiver
			// acknowledges every second packet at once, one alone after 200 ms.
			for range 2 {
				ann.sendData("_reliable", user("fill"))
				got("fill")
			}
			bob.resume(s, s.token("bob", "r"), &livekit.SyncState{DatachannelReceiveStates: states(3)})
			bob.sync()
			if replayed() {
				break
			}
		}
		say(6, 6)
		got("4 5 6")
		bob.resume(s, s.token("bob", "r"), &livekit.SyncState{DatachannelReceiveStates: states(6)})
		say(7, 7)
		got("7")
		bob.resume(s, s.token("bob", "r"), &livekit.SyncState{})
		say(8, 8)
		got("8")
		if !replayed() {
			t.Errorf("%d packets were replayed", s.sfu.Stats().DataReplayed)
		}
	})
}
