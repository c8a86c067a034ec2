package wire_test

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"

	"aparte/sfu"
	"aparte/sfu/leaktest"
	"aparte/sfu/transport"
	"aparte/signaling/token"
	"aparte/signaling/wire"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

const apiKey, apiSecret = "testkey", "testsecret"

// hang is how long a test waits for what must come: generous, because it only
// matters when something is broken.
const hang = 20 * time.Second

// server is an SFU with its wire on a local address.
type server struct {
	t    *testing.T
	http *httptest.Server
	sfu  *sfu.SFU
	wire *wire.Server
	url  string // ws://

	engine *transport.Engine
}

type option func(*transport.Config, *sfu.Config, *wire.Config)

func newServer(t *testing.T, opts ...option) *server {
	t.Helper()
	level := slog.LevelWarn
	if os.Getenv("APARTE_TEST_LOG") != "" {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: level}))
	keys := token.Integration{Keys: token.Keys{apiKey: apiSecret}, Now: time.Now}
	tc := transport.Config{Addrs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Log: log}
	sc := sfu.Config{Log: log}
	wc := wire.Config{Log: log, Authorizer: keys}
	for _, o := range opts {
		o(&tc, &sc, &wc)
	}
	engine, err := transport.NewEngine(tc)
	if err != nil {
		t.Fatal(err)
	}
	sc.Engine = engine
	s := &server{t: t, sfu: sfu.New(sc), engine: engine}
	wc.SFU = s.sfu
	s.wire = wire.NewServer(wc)
	s.http = httptest.NewUnstartedServer(s.wire)
	s.http.Config.MaxHeaderBytes = 72 << 10
	s.http.Start()
	s.url = "ws" + strings.TrimPrefix(s.http.URL, "http")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), hang)
		defer cancel()
		if err := s.sfu.Close(ctx); err != nil {
			t.Errorf("close SFU: %v", err)
		}
		s.wire.Close()
		s.http.Close()
		if err := engine.Close(); err != nil {
			t.Errorf("close engine: %v", err)
		}
	})
	return s
}

// eventually waits for what only the server's figures show.
func (s *server) eventually(what string, cond func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(hang); !cond(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("%s: did not happen", what)
		}
	}
}

func timing(edit func(*sfu.Timing)) option {
	return func(_ *transport.Config, c *sfu.Config, _ *wire.Config) { edit(&c.Timing) }
}

func limits(edit func(*sfu.Limits)) option {
	return func(_ *transport.Config, c *sfu.Config, _ *wire.Config) { edit(&c.Limits) }
}

// grantOption changes what a token says.
type grantOption func(*auth.AccessToken, *auth.VideoGrant)

func (s *server) token(identity, room string, opts ...grantOption) string {
	s.t.Helper()
	yes := true
	g := &auth.VideoGrant{RoomJoin: true, Room: room, CanUpdateOwnMetadata: &yes}
	at := auth.NewAccessToken(apiKey, apiSecret).SetIdentity(identity).SetName(identity + "'s name").SetValidFor(time.Hour)
	for _, o := range opts {
		o(at, g)
	}
	text, err := at.SetVideoGrant(g).ToJWT()
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

func hidden(_ *auth.AccessToken, g *auth.VideoGrant)      { g.Hidden = true }
func noPublish(_ *auth.AccessToken, g *auth.VideoGrant)   { g.SetCanPublish(false) }
func noSubscribe(_ *auth.AccessToken, g *auth.VideoGrant) { g.SetCanSubscribe(false) }
func noData(_ *auth.AccessToken, g *auth.VideoGrant)      { g.SetCanPublishData(false) }
func noMetadata(_ *auth.AccessToken, g *auth.VideoGrant)  { g.SetCanUpdateOwnMetadata(false) }
func onlyMicrophone(_ *auth.AccessToken, g *auth.VideoGrant) {
	g.SetCanPublishSources([]livekit.TrackSource{livekit.TrackSource_MICROPHONE})
}

// get asks over plain HTTP.
func (s *server) get(path string, header http.Header) *http.Response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.http.URL+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	maps.Copy(req.Header, header)
	resp, err := s.http.Client().Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp
}
