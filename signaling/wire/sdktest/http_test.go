package sdktest

import (
	"context"
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	lksdk "github.com/livekit/server-sdk-go/v2"
)

// ask is a plain HTTP request.
func ask(t *testing.T, method string, u *url.URL, header http.Header) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, u.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(req.Header, header)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(body)
}

// validate asks whether a join would be let in.
func (s rawSetup) validate(t *testing.T, identity string) (int, http.Header, string) {
	t.Helper()
	token := s.token
	if token == "" {
		token = accessToken(s.room, identity, s.grant)
	}
	u := s.url(t, token)
	return ask(t, http.MethodGet, u.JoinPath("validate"), s.header)
}

// refused dials and returns the status of the refusal.
func (s rawSetup) refused(t *testing.T, identity string) (int, string) {
	t.Helper()
	token := s.token
	if token == "" {
		token = accessToken(s.room, identity, s.grant)
	}
	u := s.url(t, token)
	u.Scheme = "ws"
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ws, res, err := websocket.DefaultDialer.DialContext(ctx, u.String(), s.header)
	if err == nil {
		ws.Close()
		t.Fatal("let in")
	}
	if res == nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%s has no CORS header", res.Status)
	}
	return res.StatusCode, string(body)
}

var upgrade = http.Header{
	"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
	"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	both := func(t *testing.T, f func(t *testing.T, s rawSetup)) {
		for _, single := range []bool{false, true} {
			f(t, rawSetup{room: roomName(t), single: single})
		}
	}
	row(t, "http-root", func(t *testing.T) {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			if status, _, _ := ask(t, method, shared.base.JoinPath("/"), nil); status != http.StatusOK {
				t.Errorf("%s /: %d", method, status)
			}
		}
	})
	row(t, "http-slashes", func(t *testing.T) {
		for _, path := range []string{"//rtc/validate", "//rtc/v1/validate"} {
			s := rawSetup{room: roomName(t), single: strings.Contains(path, "v1")}
			u := s.url(t, accessToken(s.room, "alice", nil))
			u.Path = path
			if status, _, body := ask(t, http.MethodGet, u, nil); status != http.StatusOK || body != "success" {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
		j := newJournal(t)
		s := rawSetup{room: roomName(t), path: "/"}
		u := s.url(t, accessToken(s.room, "alice", nil))
		u.Scheme, u.Path = "ws", "//rtc"
		ws, res, err := websocket.DefaultDialer.DialContext(t.Context(), u.String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		ws.Close()
		j.note("joined by //rtc")
	})
	row(t, "http-no-upgrade", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			u := s.url(t, accessToken(s.room, "alice", nil))
			if status, header, _ := ask(t, http.MethodGet, u, nil); status != http.StatusNotFound || header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s: %d, %v", u.Path, status, header)
			}
		})
	})
	row(t, "http-v1-request", func(t *testing.T) {
		s := rawSetup{room: roomName(t), path: "rtc/v1"}
		if status, body := s.refused(t, "alice"); status != http.StatusBadRequest || body == "" {
			t.Errorf("%d %s", status, body)
		}
		if status, _, body := s.validate(t, "alice"); status != http.StatusBadRequest || body == "" {
			t.Errorf("validate: %d %s", status, body)
		}
	})
	row(t, "http-rtc-request", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t), single: true, path: "rtc"}
		alice := rawJoin(t, j, "alice", s).connect()
		if alice.join.SubscriberPrimary || len(allOf(alice, (*livekit.SignalResponse).GetOffer)) > 0 {
			t.Error("with a join_request on /rtc there are two connections")
		}
	})
	row(t, "http-validate", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			j := newJournal(t)
			status, header, body := s.validate(t, "ghost")
			if status != http.StatusOK || body != "success" || header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%d %v %q", status, header, body)
			}
			if alice := rawJoin(t, j, "alice", s); len(alice.join.OtherParticipants) > 0 {
				t.Errorf("a question made a participant: %v", alice.join.OtherParticipants)
			}
		})
	})
	row(t, "http-cors break-cors", func(t *testing.T) {
		good, bad := accessToken(roomName(t), "alice", nil), "nonsense"
		for _, path := range []string{"rtc", "rtc/v1", "rtc/validate", "rtc/v1/validate", "rtc/nothing", "settings/regions"} {
			for _, token := range []string{good, bad} {
				for _, header := range []http.Header{nil, upgrade} {
					u := shared.base.JoinPath(path)
					u.RawQuery = "join_request=_-_&access_token=" + token
					if status, h, _ := ask(t, http.MethodGet, u, header); h.Get("Access-Control-Allow-Origin") != "*" || status < 400 && status != http.StatusOK {
						t.Errorf("%s: %d, %v", path, status, h)
					}
				}
			}
			status, h, _ := ask(t, http.MethodOptions, shared.base.JoinPath(path), http.Header{
				"Origin": {"https://elsewhere.example"}, "Access-Control-Request-Method": {"GET"}, "Access-Control-Request-Headers": {"authorization"},
			})
			if status >= 300 || h.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(strings.ToLower(h.Get("Access-Control-Allow-Headers")), "authorization") {
				t.Errorf("OPTIONS %s: %d, %v", path, status, h)
			}
		}
	})
	row(t, "http-origin", func(t *testing.T) {
		j := newJournal(t)
		for _, origin := range []string{"https://elsewhere.example", "null", "app://desktop"} {
			rawJoin(t, j, "alice", rawSetup{room: roomName(t), header: http.Header{"Origin": {origin}}})
		}
	})
	row(t, "http-refuse-401 break-refusal", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			for what, token := range map[string]string{
				"no token": "", "no JWT": "nonsense", "unknown key": foreignToken(t, "nokey", devSecret), "wrong secret": foreignToken(t, devKey, "wrong"),
				"no roomJoin": accessToken(s.room, "eve", func(_ *auth.AccessToken, g *auth.VideoGrant) { g.RoomJoin = false }),
			} {
				u := s.url(t, token)
				for _, path := range []string{u.Path, u.Path + "/validate"} {
					u.Path = path
					header := upgrade
					if strings.HasSuffix(path, "validate") {
						header = nil
					}
					if status, h, body := ask(t, http.MethodGet, u, header); status != http.StatusUnauthorized || !strings.HasPrefix(h.Get("Content-Type"), "text/plain") || len(body) < 5 {
						t.Errorf("%s, %s: %d %q", path, what, status, body)
					}
				}
			}
		})
	})
	row(t, "http-refuse-400", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			for _, s := range []rawSetup{
				{single: s.single, token: accessToken("", "eve", nil)},
				{single: s.single, token: accessToken(s.room, "", nil)},
				{room: s.room, single: true, query: url.Values{"join_request": {"!!!"}}},
				{room: s.room, single: true, query: url.Values{"join_request": {base64.RawURLEncoding.EncodeToString([]byte("no protobuf"))}}},
			} {
				if status, body := s.refused(t, "eve"); status != http.StatusBadRequest || body == "" {
					t.Errorf("%d %s", status, body)
				}
			}
		})
	})
	row(t, "http-refuse-404", func(t *testing.T) {
		srv := ownServer(t, t.TempDir(), "--integration-rooms-on-join=false")
		service := lksdk.NewRoomServiceClient(srv.base.String(), devKey, devSecret)
		both(t, func(t *testing.T, s rawSetup) {
			s.server = srv
			const words = "requested room does not exist"
			if status, body := s.refused(t, "alice"); status != http.StatusNotFound || !strings.Contains(body, words) {
				t.Errorf("%d %s", status, body)
			}
			if status, _, body := s.validate(t, "alice"); status != http.StatusNotFound || !strings.Contains(body, words) {
				t.Errorf("validate: %d %s", status, body)
			}
			if _, err := service.CreateRoom(t.Context(), &livekit.CreateRoomRequest{Name: s.room}); err != nil {
				t.Fatal(err)
			}
			rawJoin(t, newJournal(t), "alice", s)
		})
	})
	row(t, "http-refuse-503", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			j := newJournal(t)
			s.grant = func(a *auth.AccessToken, _ *auth.VideoGrant) {
				a.SetRoomConfig(&livekit.RoomConfiguration{MaxParticipants: 1})
			}
			alice := rawJoin(t, j, "alice", s)
			if n := alice.join.Room.MaxParticipants; n != 1 {
				t.Fatalf("the room takes %d", n)
			}
			if status, body := s.refused(t, "bob"); status != http.StatusServiceUnavailable || body == "" {
				t.Errorf("%d %s", status, body)
			}
			if status, _, _ := s.validate(t, "bob"); status != http.StatusServiceUnavailable {
				t.Errorf("validate: %d", status)
			}
			rawJoin(t, j, "alice", s) // who comes back takes no other's place
		})
	})
	row(t, "http-bearer", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			j := newJournal(t)
			s.token = "nonsense"
			s.header = http.Header{"Authorization": {"Bearer " + accessToken(s.room, "native", nil)}}
			if c := rawJoin(t, j, "native", s); c.join.Participant.Identity != "native" {
				t.Errorf("joined as %q", c.join.Participant.Identity)
			}
			s.token, s.header = accessToken(s.room, "alice", nil), http.Header{"Authorization": {"Bearer nonsense"}}
			if status, _ := s.refused(t, "alice"); status != http.StatusUnauthorized {
				t.Errorf("a bad header with a good query: %d", status)
			}
		})
	})
	row(t, "http-v0-query", func(t *testing.T) {
		j := newJournal(t)
		room := roomName(t)
		grant := func(_ *auth.AccessToken, g *auth.VideoGrant) { g.SetCanUpdateOwnMetadata(true) }
		for _, yes := range []string{"1", "true"} {
			c := rawJoin(t, j, "alice", rawSetup{room: room, grant: grant, query: url.Values{
				"auto_subscribe": {yes}, "adaptive_stream": {yes}, "unheard_of": {"x"}, "os": {"plan9"}, "network": {"wifi"}, "client_protocol": {"1"},
				"capabilities": {"1"}, "attributes": {base64.URLEncoding.EncodeToString([]byte(`{"floor":"3","aé":"ü"}`))},
			}})
			if got := c.join.Participant.Attributes; !maps.Equal(got, map[string]string{"floor": "3", "aé": "ü"}) {
				t.Errorf("the attributes are %v", got)
			}
			if p := c.join.Participant; p.ClientProtocol != 1 || len(p.Capabilities) != 1 {
				t.Errorf("client protocol %d, capabilities %v", p.ClientProtocol, p.Capabilities)
			}
		}
		// auto_subscribe is on when it is not named.
		alice := rawJoin(t, j, "talker", rawSetup{room: room}).connect()
		voice := alice.publish(livekit.TrackType_AUDIO, "voice")
		voice.play()
		rawJoin(t, j, "listener", rawSetup{room: room}).connect().receives(voice.sid(), 5)
	})
	row(t, "http-join-request", func(t *testing.T) {
		j := newJournal(t)
		room := roomName(t)
		talker := rawJoin(t, j, "talker", rawSetup{room: room}).connect()
		voice := talker.publish(livekit.TrackType_AUDIO, "voice")
		voice.play()
		s := rawSetup{room: room, single: true, edit: func(r *livekit.JoinRequest) { r.ConnectionSettings = nil }}
		for _, zip := range []bool{false, true} {
			for _, pad := range []string{"", "=", "=="} {
				s.gzip = zip
				text := wrap(t, s.request(t), zip)
				if (len(text)+len(pad))%4 != 0 {
					continue
				}
				padded := s
				padded.query = url.Values{"join_request": {text + pad}}
				rawJoin(t, j, "alice", padded)
			}
			rawJoin(t, j, "alice", s)
		}
		silent := rawJoin(t, j, "silent", s).connect()
		s.edit = nil
		rawJoin(t, j, "listener", s).connect().receives(voice.sid(), 5)
		silent.settle()
		silent.mu.Lock()
		defer silent.mu.Unlock()
		if len(silent.tracks) > 0 {
			t.Error("without auto_subscribe in a join_request there is no auto-subscription")
		}
	})
	row(t, "http-request-cap", func(t *testing.T) {
		body := encode(t, &livekit.JoinRequest{Metadata: strings.Repeat("a", 2<<20)})
		wrapped := encode(t, &livekit.WrappedJoinRequest{Compression: livekit.WrappedJoinRequest_GZIP, JoinRequest: zipped(t, body)})
		s := rawSetup{room: roomName(t), single: true, query: url.Values{"join_request": {base64.RawURLEncoding.EncodeToString(wrapped)}}}
		if status, body := s.refused(t, "eve"); status != http.StatusBadRequest || body == "" {
			t.Errorf("%d %s", status, body)
		}
	})
	row(t, "http-own-metadata", func(t *testing.T) {
		room := roomName(t)
		for _, s := range []rawSetup{
			{room: room, query: url.Values{"attributes": {base64.RawURLEncoding.EncodeToString([]byte(`{"role":"chair"}`))}}},
			{room: room, single: true, edit: func(r *livekit.JoinRequest) { r.ParticipantAttributes = map[string]string{"role": "chair"} }},
			{room: room, single: true, edit: func(r *livekit.JoinRequest) { r.Metadata = "chair" }},
		} {
			if status, _ := s.refused(t, "eve"); status != http.StatusUnauthorized {
				t.Errorf("without the right: %d", status)
			}
			s.grant = func(_ *auth.AccessToken, g *auth.VideoGrant) { g.SetCanUpdateOwnMetadata(true) }
			j := newJournal(t)
			if p := rawJoin(t, j, "chair", s).join.Participant; p.Attributes["role"] != "chair" && p.Metadata != "chair" {
				t.Errorf("with it: %v", p)
			}
		}
	})
	row(t, "http-long-url", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t), single: true, query: url.Values{"padding": {strings.Repeat("x", 60<<10)}}}
		rawJoin(t, j, "alice", s)
	})
	row(t, "http-request-tracks", func(t *testing.T) {
		j := newJournal(t)
		room := roomName(t)
		bob := rawJoin(t, j, "bob", rawSetup{room: room}).connect()
		s := rawSetup{room: room, single: true}
		alice := rawPrepare(t, j, "alice", s)
		alice.connectAt(livekit.TrackType_AUDIO, "voice")
		first := alice.wait("TrackPublished", func(m *livekit.SignalResponse) bool { return m.GetTrackPublished().GetCid() == "voice" })
		names := alice.names()
		if names[0] != "Join" {
			t.Errorf("the first message is %s", names[0])
		}
		bob.info("alice", "publishes", func(p *livekit.ParticipantInfo) bool {
			return len(p.Tracks) == 1 && p.Tracks[0].Sid == first.GetTrackPublished().Track.Sid
		})
	})
}

func foreignToken(t *testing.T, key, secret string) string {
	t.Helper()
	text, err := auth.NewAccessToken(key, secret).SetIdentity("eve").SetValidFor(time.Hour).
		SetVideoGrant(&auth.VideoGrant{RoomJoin: true, Room: roomName(t)}).ToJWT()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func claimsToken(t *testing.T, claims jwt.MapClaims) string {
	t.Helper()
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(devSecret))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTokens(t *testing.T) {
	t.Parallel()
	claims := func(room string, edit func(jwt.MapClaims)) jwt.MapClaims {
		c := jwt.MapClaims{
			"iss": devKey, "sub": "alice", "nbf": time.Now().Add(-time.Minute).Unix(), "exp": time.Now().Add(time.Hour).Unix(),
			"video": map[string]any{"roomJoin": true, "room": room},
		}
		edit(c)
		return c
	}
	status := func(t *testing.T, c jwt.MapClaims) int {
		t.Helper()
		got, _, _ := rawSetup{token: claimsToken(t, c)}.validate(t, "")
		return got
	}
	row(t, "token-leeway", func(t *testing.T) {
		room := roomName(t)
		for what, c := range map[string]struct {
			claim string
			at    time.Duration
			want  int
		}{
			"expired a moment ago":      {"exp", -20 * time.Second, http.StatusOK},
			"expired two minutes ago":   {"exp", -2 * time.Minute, http.StatusUnauthorized},
			"valid in a moment":         {"nbf", 40 * time.Second, http.StatusOK},
			"valid in some two minutes": {"nbf", 3 * time.Minute, http.StatusUnauthorized},
		} {
			if got := status(t, claims(room, func(m jwt.MapClaims) { m[c.claim] = time.Now().Add(c.at).Unix() })); got != c.want {
				t.Errorf("%s: %d", what, got)
			}
		}
	})
	row(t, "token-identity", func(t *testing.T) {
		j := newJournal(t)
		old := claims(roomName(t), func(m jwt.MapClaims) { m["jti"] = "old-alice"; delete(m, "sub") })
		if c := rawJoin(t, j, "old", rawSetup{token: claimsToken(t, old)}); c.join.Participant.Identity != "old-alice" {
			t.Errorf("identity %q", c.join.Participant.Identity)
		}
	})
	row(t, "token-claims", func(t *testing.T) {
		j := newJournal(t)
		c := rawJoin(t, j, "agent", rawSetup{room: roomName(t), grant: func(a *auth.AccessToken, _ *auth.VideoGrant) {
			a.SetName("Agent Ä").SetMetadata("{}").SetAttributes(map[string]string{"a": "b"}).SetKind(livekit.ParticipantInfo_AGENT)
		}})
		p := c.join.Participant
		if p.Identity != "agent" || p.Name != "Agent Ä" || p.Metadata != "{}" || p.Attributes["a"] != "b" || p.Kind != livekit.ParticipantInfo_AGENT {
			t.Errorf("the token made %v", p)
		}
	})
	row(t, "token-defaults", func(t *testing.T) {
		j := newJournal(t)
		p := rawJoin(t, j, "alice", rawSetup{token: claimsToken(t, claims(roomName(t), func(jwt.MapClaims) {}))}).join.Participant.Permission
		if !p.GetCanPublish() || !p.CanSubscribe || !p.CanPublishData || p.CanUpdateMetadata || p.Hidden || len(p.CanPublishSources) > 0 {
			t.Errorf("unset grants are %v", p)
		}
		mute := claims(roomName(t), func(m jwt.MapClaims) { m["video"].(map[string]any)["canPublish"] = false })
		if p := rawJoin(t, j, "mute", rawSetup{token: claimsToken(t, mute)}).join.Participant.Permission; p.CanPublish || p.CanPublishData || !p.CanSubscribe {
			t.Errorf("without canPublish: %v", p)
		}
	})
	row(t, "token-sources", func(t *testing.T) {
		j := newJournal(t)
		c := rawJoin(t, j, "alice", rawSetup{room: roomName(t), grant: func(_ *auth.AccessToken, g *auth.VideoGrant) {
			g.SetCanPublishSources([]livekit.TrackSource{livekit.TrackSource_MICROPHONE})
		}})
		if n := len(c.join.Participant.Permission.CanPublishSources); n != 1 {
			t.Errorf("%d sources", n)
		}
		c.addTrack(livekit.TrackType_AUDIO, "voice")
		c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: addRequest(livekit.TrackType_VIDEO, "camera")}})
		c.refusal(livekit.RequestResponse_NOT_ALLOWED)
	})
	row(t, "token-room", func(t *testing.T) {
		j := newJournal(t)
		r := rawJoin(t, j, "alice", rawSetup{room: roomName(t)}).join.Room
		if r.EmptyTimeout != 300 || r.DepartureTimeout != 20 {
			t.Errorf("the room waits %d and %d s", r.EmptyTimeout, r.DepartureTimeout)
		}
		r = rawJoin(t, j, "alice", rawSetup{room: roomName(t), grant: func(a *auth.AccessToken, _ *auth.VideoGrant) {
			a.SetRoomConfig(&livekit.RoomConfiguration{EmptyTimeout: 7, DepartureTimeout: 9, MaxParticipants: 11, Metadata: "of the token"})
		}}).join.Room
		if r.EmptyTimeout != 7 || r.DepartureTimeout != 9 || r.MaxParticipants != 11 || r.Metadata != "of the token" {
			t.Errorf("roomConfig made %v", r)
		}
	})
}

// refusal waits for a RequestResponse with a reason.
func (c *rawClient) refusal(reason livekit.RequestResponse_Reason) *livekit.RequestResponse {
	c.t.Helper()
	return c.wait(reason.String(), func(m *livekit.SignalResponse) bool {
		return m.GetRequestResponse() != nil && m.GetRequestResponse().Reason == reason
	}).GetRequestResponse()
}
