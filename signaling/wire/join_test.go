package wire_test

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"github.com/pion/webrtc/v4"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"aparte/sfu"
	"aparte/sfu/transport"
	"aparte/signaling/wire"
)

// modes runs a test with both ways of connecting.
func modes(t *testing.T, f func(t *testing.T, single bool)) {
	for name, single := range map[string]bool{"two connections": false, "one connection": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, single)
		})
	}
}

func TestJoinResponse(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t)
		s.connect(single, s.token("ann", "r"))
		s.join(single, s.token("ghost", "r", hidden))
		c := s.join(single, s.token("bob", "r"))
		j := c.joined
		if j.Participant.Identity != "bob" || j.Participant.Name != "bob's name" || !strings.HasPrefix(j.Participant.Sid, "PA_") {
			t.Errorf("participant %v", j.Participant)
		}
		if p := j.Participant.Permission; p == nil || !p.CanPublish || !p.CanSubscribe || !p.CanPublishData {
			t.Errorf("permission %v: clients refuse to publish without", p)
		}
		if j.Participant.ClientProtocol != 1 {
			t.Errorf("client protocol %d is not what the client sent", j.Participant.ClientProtocol)
		}
		if len(j.OtherParticipants) != 1 || j.OtherParticipants[0].Identity != "ann" {
			t.Errorf("others %v: want ann alone (not self, not hidden)", j.OtherParticipants)
		}
		if j.ServerVersion == "" || j.ServerInfo.GetVersion() == "" || j.ServerInfo.GetProtocol() != 17 {
			t.Errorf("server %q %v", j.ServerVersion, j.ServerInfo)
		}
		if j.PingInterval != 5 || j.PingTimeout != 15 {
			t.Errorf("ping %d, %d", j.PingInterval, j.PingTimeout)
		}
		if j.SubscriberPrimary == single || !j.FastPublish {
			t.Errorf("subscriber_primary %v, fast_publish %v", j.SubscriberPrimary, j.FastPublish)
		}
		if !strings.HasPrefix(j.Room.Sid, "RM_") || j.Room.Name != "r" || len(j.SifTrailer) == 0 || len(j.EnabledPublishCodecs) == 0 {
			t.Errorf("room %v, trailer %x, codecs %v", j.Room, j.SifTrailer, j.EnabledPublishCodecs)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.log[0].GetJoin() == nil {
			t.Errorf("first message %v", c.log[0])
		}
	})
}

// connect() resolves only when the primary connection is up, so the first offer
// has an application section even if there is nothing to send.
func TestFirstSubscriberOffer(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.join(false, s.token("ann", "r"), passive)
	offer := c.wait("offer", func(m *livekit.SignalResponse) bool { return m.GetOffer() != nil }).GetOffer()
	if !strings.Contains(offer.Sdp, "m=application") || !strings.Contains(offer.Sdp, "a=ice-lite") {
		t.Errorf("offer:\n%s", offer.Sdp)
	}
	if offer.Id == 0 {
		t.Error("offer without id")
	}
}

// In single mode the server never offers; in two-connection mode without the
// right to subscribe the publisher is primary.
func TestPublisherPrimary(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(false, s.token("ann", "r", noSubscribe, noPublish, noData))
	if c.joined.SubscriberPrimary || c.joined.FastPublish {
		t.Errorf("primary %v, fast publish %v", c.joined.SubscriberPrimary, c.joined.FastPublish)
	}
	single := s.connect(true, s.token("bob", "r"))
	for _, c := range []*client{c, single} {
		c.mu.Lock()
		if slices.ContainsFunc(c.log, func(m *livekit.SignalResponse) bool { return m.GetOffer() != nil }) {
			t.Errorf("the server offered: %s", kinds(c.log))
		}
		c.mu.Unlock()
	}
}

func TestPublisherOfferInTheJoinRequest(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := newClient(t, true)
	c.openChannels()
	c.addSender(webrtc.RTPCodecTypeAudio, "mic")
	o, err := c.pub.CreateOffer(nil)
	if err == nil {
		err = c.pub.SetLocalDescription(o)
	}
	if err != nil {
		t.Fatal(err)
	}
	c.dial(s, s.token("ann", "r"), &livekit.JoinRequest{
		ClientInfo:         &livekit.ClientInfo{Protocol: 17},
		ConnectionSettings: &livekit.ConnectionSettings{AutoSubscribe: true},
		AddTrackRequests:   []*livekit.AddTrackRequest{{Cid: "mic", Type: livekit.TrackType_AUDIO, Source: livekit.TrackSource_MICROPHONE}},
		PublisherOffer:     &livekit.SessionDescription{Type: "offer", Sdp: o.SDP, Id: 7},
	})
	a := c.wait("answer", func(m *livekit.SignalResponse) bool { return m.GetAnswer() != nil }).GetAnswer()
	if a.Id != 7 {
		t.Errorf("answer id %d, the offer's was 7", a.Id)
	}
	c.joined = c.wait("join", func(m *livekit.SignalResponse) bool { return m.GetJoin() != nil }).GetJoin()
	if err := c.pub.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: a.Sdp}); err != nil {
		t.Fatal(err)
	}
	c.waitActive()
	c.info("ann", "with her track", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 1 })
}

func TestTokenIsRefreshed(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(_ *transport.Config, _ *sfu.Config, w *wire.Config) { w.RefreshEvery = 20 * time.Millisecond })
	c := s.join(false, s.token("ann", "r", onlyMicrophone))
	c.forget()
	for range 2 { // after the join and again
		text := c.wait("refresh_token", func(m *livekit.SignalResponse) bool { return m.GetRefreshToken() != "" }).GetRefreshToken()
		c.forget()
		v, err := auth.ParseAPIToken(text)
		if err != nil {
			t.Fatal(err)
		}
		reg, claims, err := v.Verify(apiSecret)
		if err != nil {
			t.Fatal(err)
		}
		if claims.Identity != "ann" || claims.Video.Room != "r" || len(claims.Video.CanPublishSources) != 1 {
			t.Errorf("claims %+v", claims.Video)
		}
		if left := time.Until(reg.ExpiresAt.Time); left < 50*time.Minute {
			t.Errorf("lives %v, the original had an hour", left)
		}
	}
}

// A client may speak protojson; it is answered in kind.
func TestTextFrames(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ws, resp, err := websocket.DefaultDialer.Dial(s.url+"/rtc?protocol=17&access_token="+s.token("ann", "r"), http.Header{})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	defer ws.Close()
	if err := ws.WriteMessage(websocket.TextMessage, []byte(`{"pingReq":{"timestamp":"42","rtt":"3"}}`)); err != nil {
		t.Fatal(err)
	}
	_ = ws.SetReadDeadline(time.Now().Add(hang))
	for {
		kind, raw, err := ws.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		var m livekit.SignalResponse
		if kind == websocket.TextMessage && protojson.Unmarshal(raw, &m) == nil && m.GetPongResp() != nil {
			if m.GetPongResp().LastPingTimestamp != 42 {
				t.Errorf("pong %v", m.GetPongResp())
			}
			return
		}
	}
}

func TestPing(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.join(true, s.token("ann", "r"))
	before := time.Now().UnixMilli()
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Ping{Ping: 5}})
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_PingReq{PingReq: &livekit.Ping{Timestamp: 99, Rtt: 1}}})
	pong := c.wait("pong", func(m *livekit.SignalResponse) bool { return m.GetPong() != 0 }).GetPong()
	if pong < before || pong > time.Now().UnixMilli() {
		t.Errorf("pong %d is not now in ms", pong)
	}
	resp := c.wait("pong_resp", func(m *livekit.SignalResponse) bool { return m.GetPongResp() != nil }).GetPongResp()
	if resp.LastPingTimestamp != 99 || resp.Timestamp < before {
		t.Errorf("pong %v", resp)
	}
}

func TestHiddenParticipantIsNeverAnnounced(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(true, s.token("ann", "r"))
	ghost := s.connect(true, s.token("ghost", "r", hidden))
	ghost.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Leave{Leave: &livekit.LeaveRequest{}}})
	s.connect(true, s.token("bob", "r"))
	ann.info("bob", "active", func(p *livekit.ParticipantInfo) bool { return p.State == livekit.ParticipantInfo_ACTIVE })
	ann.mu.Lock()
	defer ann.mu.Unlock()
	for _, m := range ann.log {
		for _, p := range m.GetUpdate().GetParticipants() {
			if p.Identity == "ghost" {
				t.Errorf("ann was told of the hidden one: %v", p)
			}
		}
		if n := m.GetRoomUpdate().GetRoom().GetNumParticipants(); n > 2 {
			t.Errorf("the hidden one is counted: %d", n)
		}
	}
}

func TestAttributesAtJoin(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	attrs := base64.URLEncoding.EncodeToString([]byte(`{"role":"guest","lang":"fr"}`))
	ws, resp, err := websocket.DefaultDialer.Dial(s.url+"/rtc?attributes="+attrs+"&access_token="+
		s.token("ann", "r", func(a *auth.AccessToken, _ *auth.VideoGrant) {
			a.SetAttributes(map[string]string{"role": "host", "x": "y"})
		}), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	defer ws.Close()
	_, raw, err := ws.ReadMessage() // the join, which says that ann is in
	if err != nil {
		t.Fatal(err)
	}
	var first livekit.SignalResponse
	if err := proto.Unmarshal(raw, &first); err != nil {
		t.Fatal(err)
	}
	got := first.GetJoin().GetParticipant().GetAttributes()
	if got["role"] != "guest" || got["lang"] != "fr" || got["x"] != "y" {
		t.Errorf("attributes %v", got)
	}
}

func TestJoiningInALoopIsRefused(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	refused := false
	for range 40 {
		ws, resp, err := websocket.DefaultDialer.Dial(s.url+"/rtc?access_token="+s.token("ann", "r"), nil)
		if err == nil {
			ws.Close()
		}
		refused = refused || resp.StatusCode == http.StatusServiceUnavailable
		resp.Body.Close()
	}
	if !refused {
		t.Error("one identity joined 40 times in a row")
	}
	s.join(true, s.token("bob", "r")) // others are not concerned
}
