package wire_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/livekit"
	"github.com/pion/webrtc/v4"

	"aparte/sfu"
	"aparte/sfu/transport"
	"aparte/signaling/wire"
)

func shortQuality(t *sfu.Timing) { t.Quality = 100 * time.Millisecond; t.Tick = 50 * time.Millisecond }

func isLeave(m *livekit.SignalResponse) bool { return m.GetLeave() != nil }

func gone(p *livekit.ParticipantInfo) bool { return p.State == livekit.ParticipantInfo_DISCONNECTED }

// resume opens a new signal connection as SDKs do after a fault: the sync
// state, then new ICE credentials on the connection where the client offers.
func (c *client) resume(s *server, tok string, sync *livekit.SyncState) {
	c.t.Helper()
	c.reconnect(s, tok, sync)
	c.nego.Lock()
	defer c.nego.Unlock()
	c.exchange(&webrtc.OfferOptions{ICERestart: true})
}

func (c *client) reconnect(s *server, tok string, sync *livekit.SyncState) {
	c.t.Helper()
	c.drop()
	c.forget()
	c.dial(s, tok, &livekit.JoinRequest{
		ClientInfo:         &livekit.ClientInfo{Sdk: livekit.ClientInfo_JS, Protocol: 17},
		ConnectionSettings: &livekit.ConnectionSettings{AutoSubscribe: true},
		Reconnect:          true, ParticipantSid: c.joined.Participant.Sid,
	})
	c.until("an answer to the resume", func() bool { return len(c.log) > 0 })
	c.mu.Lock()
	first := c.log[0]
	c.mu.Unlock()
	if first.GetReconnect() == nil {
		c.t.Fatalf("first message after a resume is %v: clients discard it and fail", first)
	}
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_SyncState{SyncState: sync}})
}

func TestResume(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t)
		ann := s.connect(single, s.token("ann", "r"))
		bob := s.connect(single, s.token("bob", "r"))
		mic, _, micInfo := ann.publish(audio, "mic")
		back, _, backInfo := bob.publish(audio, "mic")
		feed(t, mic, nil)
		feed(t, back, nil)
		bob.flows(micInfo.Sid)
		ann.flows(backInfo.Sid)
		cyd := s.connect(single, s.token("cyd", "r"))
		ann.info("cyd", "here", func(*livekit.ParticipantInfo) bool { return true })
		ann.drop()
		cyd.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Leave{Leave: &livekit.LeaveRequest{}}})
		bob.info("cyd", "gone", gone)

		ann.resume(s, s.token("ann", "r"), &livekit.SyncState{
			PublishTracks: []*livekit.TrackPublishedResponse{{Cid: "mic", Track: micInfo}},
		})
		ann.info("cyd", "gone, told after the resume", gone)
		ann.info("bob", "in the full list", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 1 })
		ann.info("ann", "herself in the full list", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 1 })
		ann.wait("RoomUpdate", func(m *livekit.SignalResponse) bool { return m.GetRoomUpdate() != nil })
		if !single {
			o := ann.wait("offer", func(m *livekit.SignalResponse) bool { return m.GetOffer() != nil }).GetOffer()
			if !strings.Contains(o.Sdp, "ice-ufrag") {
				t.Error("offer without credentials")
			}
		}
		for c, sid := range map[*client]string{bob: micInfo.Sid, ann: backInfo.Sid} {
			c.mu.Lock()
			c.packets[sid] = 0
			c.mu.Unlock()
			c.flows(sid)
		}
		ann.sendData("_reliable", user("back"))
		bob.until("data after the resume", func() bool { return len(bob.data) == 1 })
		bob.sendData("_reliable", user("hello"))
		ann.until("data after the resume", func() bool { return len(ann.data) == 1 })
	})
}

// Not 401 (final for browsers) nor 404 (they resume again): a new join.
func TestResumeOfAnUnknownSession(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t)
		s.join(single, s.token("ann", "r"))
		for identity, sid := range map[string]string{"nobody": "PA_x", "ann": "PA_other"} {
			c := newClient(t, single)
			c.dial(s, s.token(identity, "r"), &livekit.JoinRequest{
				ClientInfo: &livekit.ClientInfo{Protocol: 17}, ConnectionSettings: &livekit.ConnectionSettings{},
				Reconnect: true, ParticipantSid: sid,
			})
			l := c.wait("leave", isLeave).GetLeave()
			if l.Reason != livekit.DisconnectReason_STATE_MISMATCH || l.Action != livekit.LeaveRequest_RECONNECT || !l.CanReconnect {
				t.Errorf("%s: %v", identity, l)
			}
		}
	})
}

func TestSyncStateWithUnknownTrack(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(true, s.token("ann", "r"))
	c.reconnect(s, s.token("ann", "r"), &livekit.SyncState{
		PublishTracks: []*livekit.TrackPublishedResponse{{Track: &livekit.TrackInfo{Sid: "TR_unknown"}}},
	})
	if l := c.wait("leave", isLeave).GetLeave(); l.Action != livekit.LeaveRequest_RECONNECT || l.Reason != livekit.DisconnectReason_STATE_MISMATCH {
		t.Errorf("leave %v", l)
	}
}

func TestDuplicateIdentity(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	bob := s.connect(true, s.token("bob", "r"))
	first := s.connect(true, s.token("ann", "r"))
	bob.info("ann", "active", func(p *livekit.ParticipantInfo) bool { return p.State == livekit.ParticipantInfo_ACTIVE })
	bob.forget()
	second := s.join(true, s.token("ann", "r"))
	l := first.wait("leave", isLeave).GetLeave()
	if l.Reason != livekit.DisconnectReason_DUPLICATE_IDENTITY || l.Action != livekit.LeaveRequest_DISCONNECT || l.CanReconnect {
		t.Errorf("leave %v", l)
	}
	bob.info("ann", "new", func(p *livekit.ParticipantInfo) bool { return p.Sid == second.joined.Participant.Sid })
	bob.mu.Lock()
	defer bob.mu.Unlock()
	for _, m := range bob.log {
		for _, p := range m.GetUpdate().GetParticipants() {
			if p.Identity != "ann" {
				continue
			}
			if p.Sid != first.joined.Participant.Sid || !gone(p) || p.DisconnectReason != livekit.DisconnectReason_DUPLICATE_IDENTITY {
				t.Errorf("bob first heard %v, want the old session going", p)
			}
			return
		}
	}
}

func TestClientLeaves(t *testing.T) {
	t.Parallel()
	events := &recorder{}
	s := newServer(t, listen(events))
	bob := s.connect(true, s.token("bob", "r"))
	ann := s.connect(true, s.token("ann", "r"))
	bob.info("ann", "active", func(p *livekit.ParticipantInfo) bool { return p.State == livekit.ParticipantInfo_ACTIVE })
	ann.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Leave{Leave: &livekit.LeaveRequest{}}})
	p := bob.info("ann", "gone", gone)
	if p.Sid != ann.joined.Participant.Sid || p.DisconnectReason != livekit.DisconnectReason_CLIENT_INITIATED {
		t.Errorf("bob heard %v", p)
	}
	events.wait(t, "+bob", "+ann", "-ann CLIENT_INITIATED")
}

// recorder is a Listener that notes what it hears.
type recorder struct {
	mu     sync.Mutex
	events []string
}

func listen(r *recorder) option {
	return func(_ *transport.Config, c *sfu.Config, _ *wire.Config) { c.Listener = r }
}

func (r *recorder) Told(e sfu.Event) {
	switch e.Kind {
	case sfu.Joined:
		r.add("+" + e.Participant.Identity)
	case sfu.Left:
		r.add("-" + e.Participant.Identity + " " + e.Participant.DisconnectReason.String())
	}
}

func (r *recorder) add(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, s)
}

func (r *recorder) wait(t *testing.T, want ...string) {
	t.Helper()
	deadline := time.Now().Add(hang)
	for {
		r.mu.Lock()
		got := slices.Clone(r.events)
		r.mu.Unlock()
		if slices.Equal(got, want) {
			return
		}
		if len(got) >= len(want) || time.Now().After(deadline) {
			t.Fatalf("listener heard %q, want %q", got, want)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// After Remove returns nothing more is forwarded to or from the session.
func TestRemoveActsAtOnce(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t)
		ann := s.connect(single, s.token("ann", "r"))
		bob := s.connect(single, s.token("bob", "r"))
		mic, _, micInfo := ann.publish(audio, "mic")
		back, _, backInfo := bob.publish(audio, "mic")
		feed(t, mic, nil)
		feed(t, back, nil)
		bob.flows(micInfo.Sid)
		ann.flows(backInfo.Sid)
		if !s.sfu.Integration().Remove("r", "bob", livekit.DisconnectReason_PARTICIPANT_REMOVED) {
			t.Fatal("bob was not found")
		}
		// What was on its way may still arrive; then there must be silence.
		ann.quiet(backInfo.Sid)
		bob.quiet(micInfo.Sid)
		ann.sendData("_reliable", user("secret"))
		l := bob.wait("leave", isLeave).GetLeave()
		if l.Reason != livekit.DisconnectReason_PARTICIPANT_REMOVED || l.Action != livekit.LeaveRequest_DISCONNECT {
			t.Errorf("leave %v", l)
		}
		ann.info("bob", "gone", gone)
		// His signal connection is closed: an update of ann does not reach him.
		ann.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateMetadata{UpdateMetadata: &livekit.UpdateParticipantMetadata{Metadata: "later"}}})
		ann.info("ann", "later", func(p *livekit.ParticipantInfo) bool { return p.Metadata == "later" })
		bob.mu.Lock()
		defer bob.mu.Unlock()
		if i := slices.IndexFunc(bob.log, isLeave); i != len(bob.log)-1 {
			t.Errorf("messages after the leave: %s", kinds(bob.log[i+1:]))
		}
		if len(bob.data) != 0 {
			t.Errorf("data after the removal: %v", bob.data)
		}
		if s.sfu.Integration().Remove("r", "bob", 0) || s.sfu.Meetings().Remove("r", "ann", 0) {
			t.Error("removed somebody who is not there")
		}
	})
}

func TestCloseRoom(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	a := s.connect(true, s.token("ann", "r"))
	b := s.join(false, s.token("bob", "r"))
	if !s.sfu.Integration().CloseRoom("r", livekit.DisconnectReason_ROOM_DELETED) {
		t.Fatal("no room")
	}
	for _, c := range []*client{a, b} {
		if l := c.wait("leave", isLeave).GetLeave(); l.Reason != livekit.DisconnectReason_ROOM_DELETED || l.Action != livekit.LeaveRequest_DISCONNECT {
			t.Errorf("leave %v", l)
		}
	}
	if got := s.sfu.Integration().Participants("r"); got != nil {
		t.Errorf("still there: %v", got)
	}
	if c := s.join(true, s.token("ann", "r")); c.joined.Room.Sid == a.joined.Room.Sid {
		t.Error("the room that ended took somebody in")
	}
}

func TestShutdownTellsClientsToComeBack(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(true, s.token("ann", "r"))
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	if err := s.sfu.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if l := c.wait("leave", isLeave).GetLeave(); l.Reason != livekit.DisconnectReason_SERVER_SHUTDOWN || l.Action != livekit.LeaveRequest_RECONNECT {
		t.Errorf("leave %v", l)
	}
	resp := s.get("/rtc/validate?access_token="+s.token("bob", "r"), nil)
	resp.Body.Close()
	if resp.StatusCode != 503 {
		t.Errorf("a join while closing: %d", resp.StatusCode)
	}
}

// The participant stays while its media lives, though its signal is gone.
func TestSignalLossKeepsTheParticipant(t *testing.T) {
	t.Parallel()
	s := newServer(t, timing(func(t *sfu.Timing) { t.ReturnTime = 300 * time.Millisecond; t.Tick = 50 * time.Millisecond }))
	ann := s.connect(true, s.token("ann", "r"))
	bob := s.connect(true, s.token("bob", "r"))
	mic, _, info := ann.publish(audio, "mic")
	feed(t, mic, nil)
	bob.flows(info.Sid)
	ann.drop()
	<-time.After(time.Second) // three times what a session without media has
	bob.mu.Lock()
	bob.packets[info.Sid] = 0
	bob.mu.Unlock()
	bob.flows(info.Sid)
	if got := len(s.sfu.Integration().Participants("r")); got != 2 {
		t.Errorf("%d participants", got)
	}
}

func TestNeverActiveIsRemoved(t *testing.T) {
	t.Parallel()
	s := newServer(t, timing(func(t *sfu.Timing) { t.JoinLimit = 200 * time.Millisecond; t.Tick = 50 * time.Millisecond }))
	c := s.join(true, s.token("ann", "r"))
	if l := c.wait("leave", isLeave).GetLeave(); l.Reason != livekit.DisconnectReason_JOIN_FAILURE {
		t.Errorf("leave %v", l)
	}
}

// shortICE notices a dead connection soon: when some twenty checks of a client are missing, as
// of one that is well they never are, however long a busy machine stands still.
func shortICE(c *transport.Config, _ *sfu.Config, _ *wire.Config) {
	c.ICEDisconnected, c.ICEFailed = 5*time.Second, 100*time.Millisecond
}

// ICE gone: the client is asked to resume, and removed if it does not.
func TestFailedMediaAsksToResume(t *testing.T) {
	t.Parallel()
	s := newServer(t, timing(func(t *sfu.Timing) { t.ReturnTime = 500 * time.Millisecond; t.Tick = 50 * time.Millisecond }),
		shortICE)
	ann := s.connect(true, s.token("ann", "r"))
	// Without media, which a busy machine could take from him, too.
	bob := s.join(true, s.token("bob", "r"))
	if err := ann.pub.SCTP().Transport().ICETransport().Stop(); err != nil { // without DTLS goodbye
		t.Fatal(err)
	}
	l := ann.wait("leave", isLeave).GetLeave()
	if l.Action != livekit.LeaveRequest_RESUME {
		t.Errorf("leave %v", l)
	}
	bob.info("ann", "gone", gone)
}

func TestOversizeAndFloodAreRefused(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.join(true, s.token("ann", "r"))
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateMetadata{UpdateMetadata: &livekit.UpdateParticipantMetadata{Metadata: strings.Repeat("x", 257<<10)}}})
	m := c.wait("refusal", func(m *livekit.SignalResponse) bool { return m.GetRequestResponse() != nil }).GetRequestResponse()
	if m.Reason != livekit.RequestResponse_LIMIT_EXCEEDED || m.Message == "" {
		t.Errorf("refusal %v", m)
	}
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Ping{Ping: 1}})
	c.wait("pong after an oversize message", func(m *livekit.SignalResponse) bool { return m.GetPong() != 0 })
	c.forget()
	for range 1000 { // 300 at once and 100 a second: many more than a busy machine gets from here to there meanwhile
		c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Trickle{Trickle: &livekit.TrickleRequest{CandidateInit: "x"}}})
	}
	m = c.wait("refusal", func(m *livekit.SignalResponse) bool { return m.GetRequestResponse() != nil }).GetRequestResponse()
	if m.Reason != livekit.RequestResponse_LIMIT_EXCEEDED || m.GetTrickle() == nil {
		t.Errorf("refusal %v", m)
	}
}

func TestGarbageEndsThatConnectionAlone(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	bob := s.join(true, s.token("bob", "r"))
	ws, resp, err := websocket.DefaultDialer.Dial(s.url+"/rtc?access_token="+s.token("ann", "r"), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	defer ws.Close()
	for range 300 {
		if ws.WriteMessage(websocket.BinaryMessage, []byte{0xff, 0xff, 0xff}) != nil {
			break
		}
	}
	_ = ws.SetReadDeadline(time.Now().Add(hang))
	for {
		if _, _, err = ws.ReadMessage(); err != nil {
			break
		}
	}
	if !websocket.IsCloseError(err, websocket.ClosePolicyViolation) {
		t.Errorf("ended with %v, want a policy violation", err)
	}
	bob.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Ping{Ping: 1}})
	bob.wait("pong", func(m *livekit.SignalResponse) bool { return m.GetPong() != 0 })
}

// An offer that cannot be answered ends the session with a new join.
func TestBadOffer(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.join(true, s.token("ann", "r"))
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Offer{Offer: &livekit.SessionDescription{Type: "offer", Sdp: "v=0", Id: 1}}})
	if l := c.wait("leave", isLeave).GetLeave(); l.Action != livekit.LeaveRequest_RECONNECT {
		t.Errorf("leave %v", l)
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(true, s.token("ann", "r"))
	bob := s.connect(true, s.token("bob", "r", noMetadata))
	ask := func(c *client, m *livekit.UpdateParticipantMetadata) *livekit.RequestResponse {
		c.forget()
		c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateMetadata{UpdateMetadata: m}})
		return c.wait("RequestResponse", func(m *livekit.SignalResponse) bool { return m.GetRequestResponse() != nil }).GetRequestResponse()
	}
	r := ask(ann, &livekit.UpdateParticipantMetadata{Metadata: "m", Name: "Ann", Attributes: map[string]string{"a": "1", "b": "2"}, RequestId: 5})
	if r.RequestId != 5 || r.Reason != livekit.RequestResponse_OK {
		t.Errorf("response %v", r)
	}
	for _, c := range []*client{ann, bob} {
		c.info("ann", "changed", func(p *livekit.ParticipantInfo) bool {
			return p.Metadata == "m" && p.Name == "Ann" && p.Attributes["a"] == "1" && p.Attributes["b"] == "2"
		})
	}
	ask(ann, &livekit.UpdateParticipantMetadata{Attributes: map[string]string{"a": ""}, RequestId: 6})
	p := bob.info("ann", "without a", func(p *livekit.ParticipantInfo) bool {
		_, there := p.Attributes["a"]
		return !there && p.Metadata == "m"
	})
	if p.Name != "Ann" || p.Attributes["b"] != "2" {
		t.Errorf("what was not set changed: %v", p)
	}
	if r := ask(bob, &livekit.UpdateParticipantMetadata{Name: "x", RequestId: 7}); r.Reason != livekit.RequestResponse_NOT_ALLOWED || r.RequestId != 7 {
		t.Errorf("without the right: %v", r)
	}
	if r := ask(ann, &livekit.UpdateParticipantMetadata{Metadata: strings.Repeat("x", 65<<10), RequestId: 8}); r.Reason != livekit.RequestResponse_LIMIT_EXCEEDED {
		t.Errorf("too long: %v", r)
	}
	// Thirty at once and ten a second: where asking takes its time, more are told.
	began, told := time.Now(), 0
	for i := range 40 {
		if ask(ann, &livekit.UpdateParticipantMetadata{Metadata: fmt.Sprint(i)}).Reason != livekit.RequestResponse_LIMIT_EXCEEDED {
			told++
		}
	}
	if took := time.Since(began); told > 31+int(10*took.Seconds()) {
		t.Errorf("%d of 40 changes in %s were told to the whole room", told, took)
	}
	// The version rises: clients drop what is not newer.
	bob.mu.Lock()
	defer bob.mu.Unlock()
	last := uint32(0)
	for _, m := range bob.log {
		for _, p := range m.GetUpdate().GetParticipants() {
			if p.Identity == "ann" {
				if p.Version <= last {
					t.Errorf("version %d after %d", p.Version, last)
				}
				last = p.Version
			}
		}
	}
}

func TestPermissionRevokedAtRunTime(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(true, s.token("ann", "r"))
	bob := s.connect(true, s.token("bob", "r"))
	mic, _, info := ann.publish(audio, "mic")
	feed(t, mic, nil)
	bob.flows(info.Sid)
	if !s.sfu.Integration().SetPermission("r", "ann", &livekit.ParticipantPermission{CanSubscribe: true}) {
		t.Fatal("no ann")
	}
	ann.wait("TrackUnpublished", func(m *livekit.SignalResponse) bool { return m.GetTrackUnpublished().GetTrackSid() == info.Sid })
	bob.info("ann", "without tracks", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 0 && !p.Permission.GetCanPublish() })
	bob.quiet(info.Sid)
	ann.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: &livekit.AddTrackRequest{Cid: "again"}}})
	ann.wait("refusal", func(m *livekit.SignalResponse) bool {
		return m.GetRequestResponse().GetReason() == livekit.RequestResponse_NOT_ALLOWED
	})
}

// turning lets somebody in, and refuses from the next question on.
type turning struct {
	wire.Authorizer
	mu    sync.Mutex
	asked int
	limit int
}

func (a *turning) Authorize(ctx context.Context, text string) (*wire.Grant, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked++; a.asked > a.limit {
		return nil, fmt.Errorf("%w: withdrawn", wire.ErrUnauthorized)
	}
	return a.Authorizer.Authorize(ctx, text)
}

func (a *turning) Refresh(ctx context.Context, g *wire.Grant) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked >= a.limit {
		return "", fmt.Errorf("%w: withdrawn", wire.ErrUnauthorized)
	}
	return a.Authorizer.Refresh(ctx, g)
}

// A removal decided between the check and the join finds nobody to remove; one
// decided later is noticed at the next refresh even if nobody calls Remove.
func TestGrantEndsWhileJoining(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 2} {
		a := &turning{limit: limit}
		s := newServer(t, func(_ *transport.Config, _ *sfu.Config, c *wire.Config) { a.Authorizer, c.Authorizer = c.Authorizer, a })
		c := s.join(true, s.token("ann", "r"))
		if l := c.wait("leave", isLeave).GetLeave(); l.Reason != livekit.DisconnectReason_PARTICIPANT_REMOVED || l.Action != livekit.LeaveRequest_DISCONNECT {
			t.Errorf("leave %v", l)
		}
		if got := s.sfu.Integration().Participants("r"); len(got) != 0 {
			t.Errorf("still in: %v", got)
		}
	}
}

// Over UDP the goodbye of DTLS may overtake the leave on the socket.
func TestLeaveAfterTheConnectionsClosed(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t, func(c *transport.Config, _ *sfu.Config, _ *wire.Config) {
			c.ICEDisconnected, c.ICEFailed = 3*time.Second, time.Second // should the goodbye be lost
		}, timing(func(t *sfu.Timing) { t.LeaveTime = hang })) // four connections close before she says it
		bob := s.connect(single, s.token("bob", "r"))
		ann := s.connect(single, s.token("ann", "r"))
		silent := s.connect(single, s.token("silent", "r"))
		for _, pc := range []*webrtc.PeerConnection{ann.pub, ann.sub, silent.pub, silent.sub} {
			if pc != nil {
				if err := pc.Close(); err != nil {
					t.Fatal(err)
				}
			}
		}
		<-time.After(300 * time.Millisecond)
		ann.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Leave{Leave: &livekit.LeaveRequest{}}})
		silent.drop()
		if p := bob.info("ann", "gone", gone); p.DisconnectReason != livekit.DisconnectReason_CLIENT_INITIATED {
			t.Errorf("ann left with %v", p.DisconnectReason)
		}
		if p := bob.info("silent", "gone", gone); p.DisconnectReason != livekit.DisconnectReason_SIGNAL_CLOSE {
			t.Errorf("silent left with %v", p.DisconnectReason)
		}
	})
}
