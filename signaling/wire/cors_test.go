package wire_test

import (
	"context"
	"io"
	"maps"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/livekit"

	"aparte/sfu"
	"aparte/sfu/transport"
	"aparte/signaling/wire"
)

// Whatever is answered on the paths of the protocol, a page may read: without the
// header a browser reports an unreachable server, and does not fall back to v0.
func TestEveryAnswerCarriesCORS(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	good := "access_token=" + s.token("ann", "r")
	upgrade := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}
	for _, tt := range []struct {
		name, method, path string
		header             http.Header
		status             int
	}{
		{"validate", "GET", "/rtc/validate?" + good, nil, 200},
		{"validate by HEAD", "HEAD", "/rtc/validate?" + good, nil, 200},
		{"a bad token by HEAD", "HEAD", "/rtc/v1/validate", nil, 401},
		{"plain GET", "GET", "/rtc?" + good, nil, 404},
		{"plain HEAD", "HEAD", "/rtc/v1?" + good, nil, 404},
		{"upgrade without a token", "GET", "/rtc", upgrade, 401},
		{"upgrade that is none", "GET", "/rtc?" + good, upgrade, 400},
		{"v1 without join_request", "GET", "/rtc/v1?" + good, upgrade, 400},
		{"unknown path", "GET", "/rtc/v2", nil, 404},
		{"path below", "GET", "/rtc/v1/validate/x", nil, 404},
		{"regions", "GET", "/settings/regions", nil, 404},
		{"POST", "POST", "/rtc/validate?" + good, nil, 405},
		{"PUT", "PUT", "/rtc/v1", nil, 405},
		{"DELETE", "DELETE", "/rtc/nothing", nil, 405},
		{"preflight", "OPTIONS", "/rtc/validate", nil, 204},
		{"preflight of v1", "OPTIONS", "/rtc/v1", nil, 204},
		{"preflight of nothing", "OPTIONS", "/rtc/nothing", nil, 204},
		{"too long", "GET", "/rtc/validate?x=" + strings.Repeat("x", 65<<10), nil, 414},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, s.http.URL+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(req.Header, tt.header)
		resp, err := s.http.Client().Do(req)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		resp.Body.Close()
		if resp.StatusCode != tt.status || resp.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d, CORS %q; want %d and *", tt.name, resp.StatusCode, resp.Header.Get("Access-Control-Allow-Origin"), tt.status)
		}
		if tt.status == 405 && resp.Header.Get("Allow") == "" {
			t.Errorf("%s: 405 does not say what is allowed", tt.name)
		}
	}
}

// buggy is an Authorizer with a bug.
type buggy struct{}

func (buggy) Authorize(context.Context, string) (*wire.Grant, error) { panic("bug") }
func (buggy) Refresh(context.Context, *wire.Grant) (string, error)   { panic("bug") }

func TestPanicIsAnsweredWithCORS(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(_ *transport.Config, _ *sfu.Config, w *wire.Config) { w.Authorizer = buggy{} })
	for _, path := range []string{"/rtc/validate?access_token=x", "/rtc/v1/validate?access_token=x"} {
		resp := s.get(path, nil)
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != 500 || resp.Header.Get("Access-Control-Allow-Origin") != "*" || strings.Contains(string(body), "bug") {
			t.Errorf("%d %q, CORS %q", resp.StatusCode, body, resp.Header.Get("Access-Control-Allow-Origin"))
		}
	}
	_, resp, err := websocket.DefaultDialer.Dial(s.url+"/rtc?access_token=x", nil)
	if err == nil || resp.StatusCode != 500 {
		t.Errorf("upgrade: %v %v", resp, err)
	}
	resp.Body.Close()
	if n := s.wire.Stats().Panics; n != 3 {
		t.Errorf("%d panics counted", n)
	}
}

// buggyLater has its bug at the second question, which comes after the upgrade.
type buggyLater struct {
	wire.Authorizer
	asked atomic.Int32
}

func (a *buggyLater) Authorize(ctx context.Context, text string) (*wire.Grant, error) {
	if a.asked.Add(1) == 2 {
		panic("bug")
	}
	return a.Authorizer.Authorize(ctx, text)
}

// A bug met after the upgrade ends that session, and nobody else notices.
func TestPanicAfterTheUpgradeEndsOneSession(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(_ *transport.Config, _ *sfu.Config, w *wire.Config) {
		w.Authorizer = &buggyLater{Authorizer: w.Authorizer}
	})
	unlucky := s.join(true, s.token("unlucky", "r"))
	unlucky.wait("leave", func(m *livekit.SignalResponse) bool { return m.GetLeave() != nil })
	healthy := s.join(true, s.token("healthy", "r"))
	// It is counted on the way out, after the goodbye.
	for until := time.Now().Add(hang); s.wire.Stats().Panics == 0 && time.Now().Before(until); {
		runtime.Gosched()
	}
	if n := s.wire.Stats().Panics; n != 1 {
		t.Errorf("%d panics counted", n)
	}
	if others := healthy.joined.OtherParticipants; len(others) != 0 {
		t.Errorf("still there: %v", others)
	}
}

// slowSecond holds the second question, which comes after the upgrade.
type slowSecond struct {
	wire.Authorizer
	asked chan struct{} // one for each question
	free  chan struct{}
}

func (a *slowSecond) Authorize(ctx context.Context, text string) (*wire.Grant, error) {
	select {
	case a.asked <- struct{}{}:
	default:
		<-a.free
	}
	return a.Authorizer.Authorize(ctx, text)
}

// Clients give the first message 5 s from the upgrade: it waits for nobody.
func TestFirstMessageWaitsForNobody(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		a := &slowSecond{asked: make(chan struct{}, 1), free: make(chan struct{})}
		s := newServer(t, func(_ *transport.Config, _ *sfu.Config, c *wire.Config) { a.Authorizer, c.Authorizer = c.Authorizer, a })
		c := s.join(single, s.token("ann", "r")) // the JoinResponse is here, the question still open
		close(a.free)
		c.wait("refresh_token", func(m *livekit.SignalResponse) bool { return m.GetRefreshToken() != "" })
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.log[0].GetJoin() == nil {
			t.Errorf("first message %v", c.log[0])
		}
	})
}
