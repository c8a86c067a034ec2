package sdktest

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
)

func TestJoinResponse(t *testing.T) {
	t.Parallel()
	row(t, "join-room", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t)}
		before := time.Now()
		r := rawJoin(t, j, "alice", s).join.Room
		if !strings.HasPrefix(r.Sid, "RM_") || r.Name != s.room || len(r.EnabledCodecs) == 0 || r.MaxParticipants == 0 || r.ActiveRecording {
			t.Errorf("the room is %v", r)
		}
		if d := time.UnixMilli(r.CreationTimeMs).Sub(before); d < -time.Minute || d > time.Minute || r.CreationTime != r.CreationTimeMs/1000 {
			t.Errorf("created at %d, %d ms", r.CreationTime, r.CreationTimeMs)
		}
		bob := rawJoin(t, j, "bob", s).join.Room
		if bob.Sid != r.Sid || bob.NumParticipants < 1 {
			t.Errorf("bob is in %v", bob)
		}
	})
	row(t, "join-participant", func(t *testing.T) {
		j := newJournal(t)
		before := time.Now()
		p := rawJoin(t, j, "alice", rawSetup{room: roomName(t)}).join.Participant
		if !strings.HasPrefix(p.Sid, "PA_") || p.Identity != "alice" || p.Permission == nil || p.Version == 0 || p.IsPublisher {
			t.Errorf("alice is %v", p)
		}
		if p.State != livekit.ParticipantInfo_JOINED && p.State != livekit.ParticipantInfo_JOINING {
			t.Errorf("alice is %s", p.State)
		}
		if d := time.UnixMilli(p.JoinedAtMs).Sub(before); d < -time.Minute || d > time.Minute || p.JoinedAt != p.JoinedAtMs/1000 {
			t.Errorf("joined at %d, %d ms", p.JoinedAt, p.JoinedAtMs)
		}
	})
	row(t, "join-others", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t)}
		alice := rawJoin(t, j, "alice", s).connect()
		voice := alice.publish(livekit.TrackType_AUDIO, "voice")
		hidden := s
		hidden.grant = func(_ *auth.AccessToken, g *auth.VideoGrant) { g.Hidden = true }
		rawJoin(t, j, "ghost", hidden)
		others := rawJoin(t, j, "bob", s).join.OtherParticipants
		if len(others) != 1 || others[0].Identity != "alice" || len(others[0].Tracks) != 1 || others[0].Tracks[0].Sid != voice.sid() {
			t.Errorf("bob is told of %v", others)
		}
	})
	row(t, "join-server", func(t *testing.T) {
		j := newJournal(t)
		r := rawJoin(t, j, "alice", rawSetup{room: roomName(t)}).join
		info := r.ServerInfo
		if info.GetEdition() != livekit.ServerInfo_Standard || info.GetProtocol() < 17 || info.GetVersion() != r.ServerVersion || info.GetNodeId() == "" { //nolint:staticcheck // clients still read it
			t.Errorf("the server is %v", info)
		}
		if !regexp.MustCompile(`^(1\.([89]|\d\d)|[2-9])[.\d]*`).MatchString(info.GetVersion()) {
			t.Errorf("version %q is not a semantic version from 1.8.0 on", info.GetVersion())
		}
	})
	row(t, "join-primary", func(t *testing.T) {
		j := newJournal(t)
		deaf := func(_ *auth.AccessToken, g *auth.VideoGrant) { g.SetCanSubscribe(false) }
		for _, c := range []struct {
			s    rawSetup
			want bool
		}{{rawSetup{}, true}, {rawSetup{grant: deaf}, false}, {rawSetup{single: true}, false}, {rawSetup{single: true, grant: deaf}, false}} {
			c.s.room = roomName(t)
			if got := rawJoin(t, j, "alice", c.s).join.SubscriberPrimary; got != c.want {
				t.Errorf("one connection %t, deaf %t: subscriber_primary is %t", c.s.single, c.s.grant != nil, got)
			}
		}
	})
	row(t, "join-fast-publish", func(t *testing.T) {
		j := newJournal(t)
		for _, may := range []bool{false, true} {
			s := rawSetup{room: roomName(t), grant: func(_ *auth.AccessToken, g *auth.VideoGrant) { g.SetCanPublish(may) }}
			if got := rawJoin(t, j, "alice", s).join.FastPublish; got != may {
				t.Errorf("canPublish %t: fast_publish %t", may, got)
			}
		}
	})
	row(t, "join-ping", func(t *testing.T) {
		j := newJournal(t)
		if r := rawJoin(t, j, "alice", rawSetup{room: roomName(t)}).join; r.PingInterval != 5 || r.PingTimeout != 15 {
			t.Errorf("ping every %d s, patience %d s", r.PingInterval, r.PingTimeout)
		}
	})
	row(t, "join-codecs", func(t *testing.T) {
		j := newJournal(t)
		var mimes []string
		for _, c := range rawJoin(t, j, "alice", rawSetup{room: roomName(t)}).join.EnabledPublishCodecs {
			mimes = append(mimes, strings.ToLower(c.Mime))
		}
		if len(mimes) < 3 || mimes[0] != "video/vp8" || mimes[1] != "video/h264" || !slices.Contains(mimes, "audio/opus") {
			t.Errorf("%v", mimes)
		}
		audio := slices.IndexFunc(mimes, func(m string) bool { return strings.HasPrefix(m, "audio/") })
		for i, m := range mimes {
			if strings.Contains(m, "rtx") || i > audio && strings.HasPrefix(m, "video/") {
				t.Errorf("%s stands at %d of %v", m, i, mimes)
			}
		}
	})
	row(t, "join-sif-trailer", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t)}
		a, b := rawJoin(t, j, "alice", s).join.SifTrailer, rawJoin(t, j, "bob", s).join.SifTrailer
		other := rawJoin(t, j, "alice", rawSetup{room: s.room + " 2"}).join.SifTrailer
		if len(a) < 8 || string(a) != string(b) || string(a) == string(other) {
			t.Errorf("trailers %x and %x in one room, %x in another", a, b, other)
		}
	})
	row(t, "join-capabilities", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t)}
		alice := rawJoin(t, j, "alice", s)
		own := s
		own.query = url.Values{"client_protocol": {"2"}, "capabilities": {"1"}}
		p := rawJoin(t, j, "bob", own).join.Participant
		own = s
		own.single, own.query = true, nil
		own.edit = func(r *livekit.JoinRequest) {
			r.ClientInfo.ClientProtocol = 2
			r.ClientInfo.Capabilities = []livekit.ClientInfo_Capability{livekit.ClientInfo_CAP_PACKET_TRAILER}
		}
		rawJoin(t, j, "carol", own)
		for _, p := range []*livekit.ParticipantInfo{
			p, alice.info("bob", "comes", func(*livekit.ParticipantInfo) bool { return true }),
			alice.info("carol", "comes", func(*livekit.ParticipantInfo) bool { return true }),
		} {
			if p.ClientProtocol != 2 || !slices.Equal(p.Capabilities, []livekit.ClientInfo_Capability{livekit.ClientInfo_CAP_PACKET_TRAILER}) {
				t.Errorf("%s: protocol %d, capabilities %v", p.Identity, p.ClientProtocol, p.Capabilities)
			}
		}
	})
}

func TestSignal(t *testing.T) {
	t.Parallel()
	row(t, "signal-first", func(t *testing.T) {
		j := newJournal(t)
		for _, single := range []bool{false, true} {
			c := rawDial(t, j, "alice", rawSetup{room: roomName(t), single: single})
			asked := time.Now()
			c.joined()
			if d := time.Since(asked); d > 5*time.Second {
				t.Errorf("the join took %s", d)
			}
		}
	})
	row(t, "break-first", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t), grant: func(_ *auth.AccessToken, g *auth.VideoGrant) { g.SetCanUpdateOwnMetadata(true) }}
		bob := rawJoin(t, j, "bob", s)
		for i := range 10 {
			s.single = i%2 == 1
			c := rawDial(t, j, "alice", s)
			bob.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateMetadata{
				UpdateMetadata: &livekit.UpdateParticipantMetadata{Metadata: strings.Repeat("x", i+1)},
			}})
			c.joined()
		}
	})
	row(t, "break-quality", func(t *testing.T) {
		j := newJournal(t)
		c := rawJoin(t, j, "alice", rawSetup{room: roomName(t)}).connect()
		c.publish(livekit.TrackType_AUDIO, "silent")
		c.publish(livekit.TrackType_VIDEO, "muted", func(r *livekit.AddTrackRequest) { r.Muted = true })
		// Two pings of the WebSocket are more time than a client bears to be called lost.
		c.until("20 s of it", func() bool { return c.pings >= 2 })
		var told []livekit.ConnectionQuality
		for _, u := range allOf(c, (*livekit.SignalResponse).GetConnectionQuality) {
			for _, q := range u.Updates {
				if q.ParticipantSid == c.sid() {
					told = append(told, q.Quality)
				}
			}
		}
		if len(told) == 0 || slices.Contains(told, livekit.ConnectionQuality_LOST) {
			t.Errorf("who is silent is told %v", told)
		}
	})
	row(t, "signal-text", func(t *testing.T) {
		j := newJournal(t)
		c := rawJoin(t, j, "alice", rawSetup{room: roomName(t), text: true})
		c.forget()
		c.send(ping(4711))
		c.wait("pong_resp", func(m *livekit.SignalResponse) bool { return m.GetPongResp().GetLastPingTimestamp() == 4711 })
		c.mu.Lock()
		defer c.mu.Unlock()
		if last := c.frames[len(c.frames)-1]; last != websocket.TextMessage {
			t.Errorf("a text frame is answered with a frame of kind %d", last)
		}
	})
	row(t, "signal-socket-ping", func(t *testing.T) {
		j := newJournal(t)
		c := rawJoin(t, j, "alice", rawSetup{room: roomName(t)})
		c.until("a WebSocket ping", func() bool { return c.pings > 0 })
	})
	row(t, "signal-order", func(t *testing.T) {
		j := newJournal(t)
		c := rawJoin(t, j, "alice", rawSetup{room: roomName(t)})
		const n = 20
		var want, got []string
		for i := range n {
			cid := "track" + string(rune('a'+i))
			want = append(want, cid)
			c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: addRequest(livekit.TrackType_AUDIO, cid)}})
		}
		c.settle()
		for _, p := range allOf(c, (*livekit.SignalResponse).GetTrackPublished) {
			got = append(got, p.Cid)
		}
		if !slices.Equal(got, want) {
			t.Errorf("answered in the order %v", got)
		}
	})
	row(t, "signal-size", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t)}
		alice, bob := rawJoin(t, j, "alice", s), rawJoin(t, j, "bob", s)
		alice.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateMetadata{
			UpdateMetadata: &livekit.UpdateParticipantMetadata{Metadata: strings.Repeat("x", 400<<10)},
		}})
		alice.refusal(livekit.RequestResponse_LIMIT_EXCEEDED)
		alice.send(ping(1)) // the connection goes on
		alice.wait("pong", func(m *livekit.SignalResponse) bool { return m.GetPongResp() != nil })
		alice.mu.Lock()
		_ = alice.ws.WriteMessage(websocket.BinaryMessage, make([]byte, 16<<20)) // the server closes in the midst of it
		alice.mu.Unlock()
		alice.gone()
		bob.settle()
	})
	row(t, "signal-ping break-pong", func(t *testing.T) {
		j := newJournal(t)
		c := rawJoin(t, j, "alice", rawSetup{room: roomName(t)})
		before := time.Now().UnixMilli()
		c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Ping{Ping: before}})
		c.send(ping(before - 5))
		pong := c.wait("pong", func(m *livekit.SignalResponse) bool { return m.GetPong() != 0 }).GetPong()
		resp := c.wait("pong_resp", func(m *livekit.SignalResponse) bool { return m.GetPongResp() != nil }).GetPongResp()
		after := time.Now().UnixMilli()
		if pong < before || pong > after || resp.Timestamp < before || resp.Timestamp > after || resp.LastPingTimestamp != before-5 {
			t.Errorf("between %d and %d: pong %d, pong_resp %v", before, after, pong, resp)
		}
	})
	row(t, "signal-refresh break-refresh", func(t *testing.T) {
		j := newJournal(t)
		room := roomName(t)
		for life, want := range map[time.Duration]time.Duration{5 * time.Second: 10 * time.Minute, 2 * time.Hour: 2 * time.Hour} {
			c := rawJoin(t, j, "alice", rawSetup{room: room, grant: func(a *auth.AccessToken, g *auth.VideoGrant) {
				a.SetValidFor(life).SetName("Alice").SetMetadata("m")
				g.SetCanPublish(false)
			}})
			text := c.wait("refresh_token", func(m *livekit.SignalResponse) bool { return m.GetRefreshToken() != "" }).GetRefreshToken()
			verifier, err := auth.ParseAPIToken(text)
			if err != nil {
				t.Fatal(err)
			}
			registered, claims, err := verifier.Verify(devSecret)
			if err != nil {
				t.Fatal(err)
			}
			if claims.Identity != "alice" || claims.Name != "Alice" || claims.Metadata != "m" || !claims.Video.RoomJoin || claims.Video.Room != room || claims.Video.GetCanPublish() {
				t.Errorf("the new token says %v, %v", claims, claims.Video)
			}
			if left := time.Until(registered.ExpiresAt.Time); left < want-time.Minute || left > want+time.Minute {
				t.Errorf("the original lived %s, the new one %s", life, left)
			}
			again := rawJoin(t, j, "alice", rawSetup{token: text})
			if again.join.Participant.Permission.CanPublish {
				t.Error("the new token allows more than the old one")
			}
		}
	})
	row(t, "gate-leave", func(t *testing.T) {
		j := newJournal(t)
		for _, protocol := range []string{"9", "12", "13", "17"} {
			s := rawSetup{room: roomName(t), query: url.Values{"protocol": {protocol}}}
			c := rawJoin(t, j, "alice", s)
			c.send(simulate(&livekit.SimulateScenario{Scenario: &livekit.SimulateScenario_LeaveRequestFullReconnect{LeaveRequestFullReconnect: true}}))
			if l := c.leave(); !l.CanReconnect || l.Action != livekit.LeaveRequest_RECONNECT {
				t.Errorf("protocol %s: %v", protocol, l)
			}
			c = rawJoin(t, j, "alice", s)
			rawJoin(t, j, "alice", s)
			if l := c.leave(); l.CanReconnect || l.Action != livekit.LeaveRequest_DISCONNECT {
				t.Errorf("protocol %s: %v", protocol, l)
			}
		}
	})
	row(t, "gate-response", func(t *testing.T) {
		j := newJournal(t)
		grant := func(_ *auth.AccessToken, g *auth.VideoGrant) { g.SetCanUpdateOwnMetadata(true) }
		for protocol, want := range map[string]bool{"13": false, "14": false, "15": true, "17": true} {
			c := rawJoin(t, j, "alice", rawSetup{room: roomName(t), grant: grant, query: url.Values{"protocol": {protocol}}})
			c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateMetadata{UpdateMetadata: &livekit.UpdateParticipantMetadata{Metadata: "x", RequestId: 7}}})
			c.info("alice", "has it", func(p *livekit.ParticipantInfo) bool { return p.Metadata == "x" })
			c.settle()
			if got := len(allOf(c, (*livekit.SignalResponse).GetRequestResponse)) > 0; got != want {
				t.Errorf("protocol %s: told of success %t", protocol, got)
			}
		}
	})
	row(t, "gate-rust", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t), query: url.Values{"sdk": {"rust"}, "protocol": {"9"}}}
		rust := rawJoin(t, j, "rust", s).connect()
		voice := rust.publish(livekit.TrackType_AUDIO, "voice")
		voice.play()
		rust.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateMetadata{UpdateMetadata: &livekit.UpdateParticipantMetadata{Metadata: "x"}}})
		rawJoin(t, j, "bob", rawSetup{room: s.room}).connect().receives(voice.sid(), 5)
		rust.settle()
		for _, name := range rust.names() {
			if name == "RequestResponse" || name == "TrackSubscribed" {
				t.Errorf("an old Rust client is sent %s", name)
			}
		}
	})
	row(t, "signal-sids", func(t *testing.T) {
		j := newJournal(t)
		c := rawJoin(t, j, "alice", rawSetup{room: roomName(t)}).connect()
		audio, video := c.publish(livekit.TrackType_AUDIO, "voice"), c.publish(livekit.TrackType_VIDEO, "camera")
		for sid, prefix := range map[string]string{c.sid(): "PA_", c.join.Room.Sid: "RM_", audio.sid(): "TR_", video.sid(): "TR_"} {
			if !strings.HasPrefix(sid, prefix) || len(sid) < 8 {
				t.Errorf("%q has no %s", sid, prefix)
			}
		}
	})
}

func ping(at int64) *livekit.SignalRequest {
	return &livekit.SignalRequest{Message: &livekit.SignalRequest_PingReq{PingReq: &livekit.Ping{Timestamp: at, Rtt: 1}}}
}

func simulate(s *livekit.SimulateScenario) *livekit.SignalRequest {
	return &livekit.SignalRequest{Message: &livekit.SignalRequest_Simulate{Simulate: s}}
}

// leave waits for the server's good-bye and for the end of the signal.
func (c *rawClient) leave() *livekit.LeaveRequest {
	c.t.Helper()
	l := c.wait("leave", func(m *livekit.SignalResponse) bool { return m.GetLeave() != nil }).GetLeave()
	c.gone()
	return l
}
