package wire_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"

	"aparte/sfu"
	"aparte/sfu/transport"
	"aparte/signaling/wire"
)

func wrapped(t *testing.T, req *livekit.JoinRequest, zip bool) string {
	t.Helper()
	body, err := proto.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	w := &livekit.WrappedJoinRequest{JoinRequest: body}
	if zip {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write(body); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		w.Compression, w.JoinRequest = livekit.WrappedJoinRequest_GZIP, b.Bytes()
	}
	raw, err := proto.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func expired(t *testing.T, at time.Time) string {
	t.Helper()
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": apiKey, "sub": "ann", "exp": at.Unix(), "video": map[string]any{"roomJoin": true, "room": "r"},
	}).SignedString([]byte(apiSecret))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Browsers read the status and body of validate; without the CORS header they
// read nothing and report the server as unreachable.
func TestRefusalsBeforeTheUpgrade(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	good := s.token("ann", "r")
	sign := func(key, secret string, edit func(*auth.AccessToken, *auth.VideoGrant)) string {
		at := auth.NewAccessToken(key, secret).SetIdentity("ann").SetValidFor(time.Hour)
		g := &auth.VideoGrant{RoomJoin: true, Room: "r"}
		edit(at, g)
		text, err := at.SetVideoGrant(g).ToJWT()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	nothing := func(*auth.AccessToken, *auth.VideoGrant) {}
	v1 := &livekit.JoinRequest{ClientInfo: &livekit.ClientInfo{Protocol: 17}}
	join := wrapped(t, v1, false)
	tests := []struct {
		name, path, token string
		status            int
		body              string
	}{
		{"validate", "/rtc/validate?", good, 200, "success"},
		{"validate v1", "/rtc/v1/validate?join_request=" + join, good, 200, "success"},
		{"v1 form on the v0 path", "/rtc/validate?join_request=" + join, good, 200, "success"},
		{"gzip", "/rtc/v1/validate?join_request=" + wrapped(t, v1, true), good, 200, "success"},
		{"padded", "/rtc/v1/validate?join_request=" + url.QueryEscape(join+"=="), good, 200, "success"},
		{"double slash", "//rtc/validate?", good, 200, "success"},
		{"no token", "/rtc/validate?", "", 401, "no token"},
		{"not a token", "/rtc/validate?", "x.y.z", 401, "not a token"},
		{"unknown key", "/rtc/validate?", sign("other", apiSecret, nothing), 401, "unknown API key"},
		{"wrong signature", "/rtc/validate?", sign(apiKey, "wrong", nothing), 401, "invalid token"},
		{"expired", "/rtc/validate?", expired(t, time.Now().Add(-2*time.Minute)), 401, "expired"},
		{"expired within the leeway", "/rtc/validate?", expired(t, time.Now().Add(-30*time.Second)), 200, "success"},
		{"no roomJoin", "/rtc/validate?", sign(apiKey, apiSecret, func(_ *auth.AccessToken, g *auth.VideoGrant) { g.RoomJoin = false }), 401, "joining"},
		{"no room", "/rtc/validate?", sign(apiKey, apiSecret, func(_ *auth.AccessToken, g *auth.VideoGrant) { g.Room = "" }), 400, "no room"},
		{"long room", "/rtc/validate?", sign(apiKey, apiSecret, func(_ *auth.AccessToken, g *auth.VideoGrant) { g.Room = strings.Repeat("r", 257) }), 400, "256"},
		{"v1 without join_request", "/rtc/v1/validate?", good, 400, "join_request is missing"},
		{"bad base64", "/rtc/v1/validate?join_request=%25%25", good, 400, "join_request"},
		{"bad protobuf", "/rtc/v1/validate?join_request=AAAA", good, 400, "join_request"},
		{"gzip bomb", "/rtc/v1/validate?join_request=" + wrapped(t, &livekit.JoinRequest{Metadata: strings.Repeat("a", 2<<20)}, true), good, 400, "when decompressed"},
		{"bad attributes", "/rtc/validate?attributes=AAAA", good, 400, "attributes"},
		{"attributes without the right", "/rtc/validate?attributes=" + base64.RawURLEncoding.EncodeToString([]byte(`{"a":"b"}`)), s.token("ann", "r", noMetadata), 401, "own metadata"},
		{"metadata without the right", "/rtc/v1/validate?join_request=" + wrapped(t, &livekit.JoinRequest{Metadata: "m"}, false), s.token("ann", "r", noMetadata), 401, "own metadata"},
		{"plain GET", "/rtc?", good, 404, "WebSocket"},
		{"plain GET v1", "/rtc/v1?", good, 404, "WebSocket"},
		{"regions", "/settings/regions?", good, 404, "not found"},
		{"long URL", "/rtc/validate?unknown=" + strings.Repeat("x", 60<<10), good, 200, "success"},
		{"long client info", "/rtc/validate?os=" + strings.Repeat("x", 5<<10), good, 400, "client info"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, form := range []string{"header", "query"} {
				path, header := tt.path, http.Header{}
				if form == "query" {
					path += "&access_token=" + tt.token
				} else if tt.token != "" {
					header.Set("Authorization", "Bearer "+tt.token)
				}
				if len(path) > 62<<10 && form == "query" {
					continue
				}
				resp := s.get(path, header)
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil {
					t.Fatal(err)
				}
				if resp.StatusCode != tt.status || !strings.Contains(string(body), tt.body) {
					t.Errorf("%s: got %d %q, want %d %q", form, resp.StatusCode, body, tt.status, tt.body)
				}
				if got := resp.Header.Get("Access-Control-Allow-Origin"); got != "*" {
					t.Errorf("%s: CORS header %q", form, got)
				}
			}
		})
	}
}

func TestUpgradeIsRefusedWithTheSameStatus(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	_, resp, err := websocket.DefaultDialer.Dial(s.url+"/rtc?access_token=bad", nil)
	if err == nil || resp == nil || resp.StatusCode != http.StatusUnauthorized {
		t.Fatalf("got %v, %v; want 401 before the upgrade", resp, err)
	}
	resp.Body.Close()
	_, resp, err = websocket.DefaultDialer.Dial(s.url+"/rtc/v1?access_token="+s.token("a", "r"), nil)
	if err == nil || resp == nil || resp.StatusCode != http.StatusBadRequest {
		t.Fatalf("got %v, %v; want 400 before the upgrade", resp, err)
	}
	resp.Body.Close()
}

func TestHeaderTokenWins(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	resp := s.get("/rtc/validate?access_token="+s.token("a", "r"), http.Header{"Authorization": {"Bearer nonsense"}})
	resp.Body.Close()
	if resp.StatusCode != 401 {
		t.Errorf("got %d: the query's token was used although there was a header", resp.StatusCode)
	}
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, s.http.URL+"/rtc/v1/validate", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.http.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 204 || resp.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("got %d %v", resp.StatusCode, resp.Header)
	}
}

func TestFullRoomIs503(t *testing.T) {
	t.Parallel()
	s := newServer(t, limits(func(l *sfu.Limits) { l.Participants = 1 }))
	s.join(false, s.token("ann", "r"))
	for identity, want := range map[string]int{"bob": 503, "ann": 200} { // ann comes back into her own place
		resp := s.get("/rtc/validate?access_token="+s.token(identity, "r"), nil)
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: got %d, want %d", identity, resp.StatusCode, want)
		}
	}
}

// answers is an Authorizer with one answer.
type answers struct{ err error }

func (a answers) Authorize(context.Context, string) (*wire.Grant, error) { return nil, a.err }
func (a answers) Refresh(context.Context, *wire.Grant) (string, error)   { return "", a.err }

func TestAuthorizerErrorsBecomeStatuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err    error
		status int
		body   string
	}{
		{fmt.Errorf("%w: admission withdrawn", wire.ErrUnauthorized), 401, "admission withdrawn"},
		{fmt.Errorf("%w: not here", wire.ErrForbidden), 403, "not here"},
		{wire.ErrNotFound, 404, "requested room does not exist"},
		{wire.ErrUnavailable, 503, "unavailable"},
		{errors.New("database password wrong"), 500, "internal error"},
	} {
		s := newServer(t, func(_ *transport.Config, _ *sfu.Config, w *wire.Config) { w.Authorizer = answers{tt.err} })
		resp := s.get("/rtc/validate?access_token=x", nil)
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != tt.status || !strings.Contains(string(body), tt.body) || strings.Contains(string(body), "password") {
			t.Errorf("%v: got %d %q", tt.err, resp.StatusCode, body)
		}
	}
}
