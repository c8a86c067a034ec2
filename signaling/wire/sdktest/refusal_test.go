package sdktest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/livekit/protocol/auth"

	"aparte/signaling/wire/sdktest/conform"
)

// Whoever is refused learns why, before the WebSocket opens, in every form a
// client asks.
func TestRefusals(t *testing.T) {
	proves(t, conform.Go, "http-refuse-401", "http-refuse-400", "http-cors", "token-algorithm")
	t.Parallel()
	j := newJournal(t)
	room := roomName(t)
	foreign := func(key, secret string) string {
		text, err := auth.NewAccessToken(key, secret).SetIdentity("eve").SetValidFor(time.Hour).
			SetVideoGrant(&auth.VideoGrant{RoomJoin: true, Room: room}).ToJWT()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	signed := func(method jwt.SigningMethod, key any, from, until time.Duration) string {
		text, err := jwt.NewWithClaims(method, jwt.MapClaims{
			"iss": devKey, "sub": "eve", "nbf": time.Now().Add(from).Unix(), "exp": time.Now().Add(until).Unix(),
			"video": map[string]any{"roomJoin": true, "room": room},
		}).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	secret := []byte(devSecret)
	for _, c := range []struct {
		name, token string
		status      int
	}{
		{"nonsense", "nonsense", http.StatusUnauthorized},
		{"other key", foreign("otherkey", devSecret), http.StatusUnauthorized},
		{"other secret", foreign(devKey, "other secret"), http.StatusUnauthorized},
		{"unsigned", signed(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, 0, time.Hour), http.StatusUnauthorized},
		{"other method", signed(jwt.SigningMethodHS512, secret, 0, time.Hour), http.StatusUnauthorized},
		{"expired", signed(jwt.SigningMethodHS256, secret, -time.Hour, -2*time.Minute), http.StatusUnauthorized},
		{"not yet valid", signed(jwt.SigningMethodHS256, secret, 2*time.Minute, time.Hour), http.StatusUnauthorized},
		{"no right to join", accessToken(room, "eve", func(_ *auth.AccessToken, g *auth.VideoGrant) { g.RoomJoin = false }), http.StatusUnauthorized},
		{"no room", accessToken("", "eve", nil), http.StatusBadRequest},
		{"no identity", accessToken(room, "", nil), http.StatusBadRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, single := range []bool{false, true} {
				eve := newClient(t, j, "eve", setup{single: single})
				err := eve.connect(setup{token: c.token})
				if err == nil {
					t.Fatal("joined")
				}
				text := strings.TrimSpace(strings.TrimPrefix(err.Error(), "unauthorized: "))
				if c.status == http.StatusUnauthorized && (text == err.Error() || text == "") {
					t.Errorf("the SDK says %q, without the server's reason", err)
				}
				if strings.Contains(err.Error(), c.token) || strings.Contains(err.Error(), devSecret) {
					t.Errorf("the reason shows a secret: %q", err)
				}
			}
			for _, path := range []string{"rtc", "rtc/validate", "rtc/v1/validate"} {
				u := shared.base.JoinPath(path)
				u.RawQuery = "access_token=" + c.token + "&protocol=16"
				if strings.Contains(path, "v1") {
					u.RawQuery += "&join_request=Cgw" // any: the token comes first
				}
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u.String(), nil)
				if err != nil {
					t.Fatal(err)
				}
				if path == "rtc" {
					req.Header.Set("Connection", "Upgrade")
					req.Header.Set("Upgrade", "websocket")
					req.Header.Set("Sec-WebSocket-Version", "13")
					req.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
				}
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil {
					t.Fatal(err)
				}
				if res.StatusCode != c.status {
					t.Errorf("%s: %s: %s", path, res.Status, body)
				}
				if len(strings.TrimSpace(string(body))) == 0 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain") {
					t.Errorf("%s: a reason in plain text is missing: %q, %q", path, res.Header.Get("Content-Type"), body)
				}
				if got := res.Header.Get("Access-Control-Allow-Origin"); got != "*" {
					t.Errorf("%s: Access-Control-Allow-Origin is %q: browsers cannot read the reason", path, got)
				}
			}
		})
	}
}

func TestValidate(t *testing.T) {
	proves(t, conform.Go, "http-validate")
	t.Parallel()
	u := shared.base.JoinPath("rtc/validate")
	u.RawQuery = "access_token=" + accessToken(roomName(t), "alice", nil)
	if got := string(get(t, http.DefaultClient, u)); got != "success" {
		t.Errorf("a good token is answered with %q", got)
	}
}

// Keys of integrations open rooms of their own. A room named like a meeting is
// another room, and a meeting's token needs its admission.
func TestIntegrationKeyDoesNotReachMeetings(t *testing.T) {
	t.Parallel()
	j := newJournal(t)
	srv := ownServer(t, t.TempDir())
	agent := srv.signIn(t)
	var list struct {
		Meetings []struct{ ID string }
	}
	unmarshal(t, get(t, agent, srv.base.JoinPath("api/v1/meetings")), &list)
	if len(list.Meetings) == 0 {
		t.Fatal("--dev made no meeting")
	}
	meeting := list.Meetings[0].ID
	var grant struct{ URL, Token, Identity string }
	unmarshal(t, post(t, agent, srv.base.JoinPath("api/v1/meetings", meeting, "join"), ""), &grant)

	host := join(t, j, grant.Identity, setup{server: srv, token: grant.Token})
	if host.room.Name() != meeting {
		t.Errorf("the agent is in room %q, not in meeting %q", host.room.Name(), meeting)
	}
	voice, _ := audioTrack(t, j, &clips.speech)
	sid := host.publish(voice, nil).SID()

	spy := join(t, j, "spy", setup{server: srv, room: meeting})
	other := join(t, j, "other", setup{server: srv, room: meeting})
	j.wait("the spy sees the other integration client", func() bool { return spy.saw("joined other") })
	song, _ := audioTrack(t, j, &clips.question)
	spy.subscribed(other.publish(song, nil).SID(), 25)
	if spy.participant(grant.Identity) != nil || spy.stream(sid) != nil {
		t.Error("the spy is in the meeting")
	}
	if host.participant("spy") != nil || host.participant("other") != nil {
		t.Error("the meeting sees clients of the integration key")
	}

	// Signed with the integration key, with the host's identity and the meeting's claims.
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(grant.Token, claims); err != nil {
		t.Fatal(err)
	}
	claims["iss"] = devKey
	forgery, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(devSecret))
	if err != nil {
		t.Fatal(err)
	}
	forger := newClient(t, j, "forger", setup{server: srv})
	if err := forger.connect(setup{token: forgery}); err == nil {
		if forger.room.SID() == host.room.SID() {
			t.Error("a token of the integration key leads into the meeting")
		}
	}
	if n, _ := host.reconnects(); n > 0 || len(host.goodbyes()) > 0 {
		t.Errorf("the host was disturbed: %d, %v", n, host.goodbyes())
	}
}

func unmarshal(t *testing.T, raw []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
}
