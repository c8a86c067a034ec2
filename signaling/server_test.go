package signaling_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"
	"go.uber.org/goleak"

	"aparte/signaling"
	"aparte/signaling/link"
	"aparte/signaling/login"
	"aparte/signaling/meeting"
	"aparte/signaling/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func named(who string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, who, " ", r.URL.Path, " ", r.Header.Get("Cookie"))
	})
}

func TestPathsReachTheirPackages(t *testing.T) {
	sick := errors.New("sick")
	var health error
	h := signaling.NewServer(signaling.Handlers{
		API: named("api"), Wire: named("wire"), Web: named("web"),
		Healthy: func(context.Context) error { return health },
	})
	for _, c := range []struct {
		method, path string
		health       error
		status       int
		body, cors   string
	}{
		{"GET", "/", nil, 200, "web / c=1", ""},
		{"HEAD", "/", nil, 200, "web / c=1", ""},
		{"GET", "/i/abc", nil, 200, "web /i/abc c=1", ""},
		{"GET", "/api/v1/session", nil, 200, "api /api/v1/session c=1", ""},
		{"OPTIONS", "/api/v1/session", nil, 200, "api /api/v1/session c=1", ""},
		{"GET", "/api/v2/x", nil, 200, "web /api/v2/x c=1", ""},
		{"GET", "/rtc", nil, 200, "wire /rtc ", "*"},
		{"GET", "/rtc/v1/validate", nil, 200, "wire /rtc/v1/validate ", "*"},
		{"GET", "//rtc/v1", nil, 200, "wire /rtc/v1 ", "*"},
		{"OPTIONS", "/rtc/validate", nil, 204, "", "*"},
		{"POST", "/twirp/livekit.RoomService/ListRooms", nil, 200, "wire /twirp/livekit.RoomService/ListRooms ", "*"},
		{"GET", "/settings/regions", nil, 200, "wire /settings/regions ", "*"},
		{"GET", "/rtcx", nil, 200, "web /rtcx c=1", ""},
		{"GET", "/healthz", nil, 200, "ok\n", ""},
		{"GET", "/healthz", sick, 503, "unhealthy\n", ""},
	} {
		health = c.health
		r := httptest.NewRequest(c.method, "http://aparte.example"+c.path, nil)
		r.Header.Set("Cookie", "c=1")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status || w.Body.String() != c.body || w.Header().Get("Access-Control-Allow-Origin") != c.cors || w.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s %s: %d %q, CORS %q", c.method, c.path, w.Code, w.Body, w.Header().Get("Access-Control-Allow-Origin"))
		}
	}
}

type noCall struct{}

func (noCall) Remove(string, string, livekit.DisconnectReason) bool { return false }
func (noCall) CloseRoom(string, livekit.DisconnectReason) bool      { return false }

func TestDemoLinksWork(t *testing.T) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	s, err := store.Open(t.Context(), t.TempDir(), log)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	logins := login.New(s, time.Now, rand.Reader)
	meetings := meeting.NewMeetings(meeting.Config{Store: s, Media: noCall{}, Now: time.Now, Random: rand.Reader, Log: log})
	defer meetings.Close()
	demo, err := signaling.MakeDemo(t.Context(), logins, meetings, rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	a, _, err := logins.SignInOnce(t.Context(), demo.SignInCode, "here")
	if err != nil {
		t.Fatal(err)
	}
	all, err := meetings.List(t.Context(), meeting.Agent{Account: a.ID})
	if err != nil || len(all) != 1 || all[0].ID != demo.Meeting || all[0].State != meeting.Open {
		t.Errorf("the demo agent hosts %+v, %v", all, err)
	}
	secret, err := base64.RawURLEncoding.DecodeString(demo.Secret)
	if err != nil {
		t.Fatal(err)
	}
	code, err := link.Code(secret)
	if err != nil {
		t.Fatal(err)
	}
	if _, v, err := meetings.Redeem(t.Context(), demo.LinkID, base64.RawURLEncoding.EncodeToString(code)); err != nil || v.Title != all[0].Title {
		t.Errorf("the demo link gives %+v, %v", v, err)
	}
	if _, err := signaling.MakeDemo(t.Context(), logins, meetings, rand.Reader, time.Now()); !errors.Is(err, login.ErrTaken) {
		t.Errorf("a second demo: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); signaling.Sweep(ctx, meetings) }()
	stop()
	<-done
}
