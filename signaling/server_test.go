package signaling_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aparte/sfu/leaktest"
	"aparte/signaling"
	"aparte/signaling/audit"
	"aparte/signaling/link"
	"aparte/signaling/login"
	"aparte/signaling/meeting"
	"aparte/signaling/meeting/meetingtest"
	"aparte/signaling/netcheck"
	"aparte/signaling/post"
	"aparte/signaling/recording"
	"aparte/signaling/store"
	"aparte/signaling/store/storetest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func named(who string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, who, " ", r.URL.Path, " ", r.Header.Get("Cookie"))
	})
}

func TestPathsReachTheirPackages(t *testing.T) {
	h := signaling.NewServer(signaling.Handlers{
		API: named("api"), Wire: named("wire"), Rooms: named("rooms"), Web: named("web"),
		Healthy: func(context.Context) error { return nil },
	})
	for _, c := range []struct {
		method, path string
		status       int
		body, cors   string
	}{
		{"GET", "/", 200, "web / c=1", ""},
		{"HEAD", "/", 200, "web / c=1", ""},
		{"GET", "/i/abc", 200, "web /i/abc c=1", ""},
		{"GET", "/api/v1/session", 200, "api /api/v1/session c=1", ""},
		{"OPTIONS", "/api/v1/session", 200, "api /api/v1/session c=1", ""},
		{"GET", "/api/v2/x", 200, "web /api/v2/x c=1", ""},
		{"GET", "/rtc", 200, "wire /rtc ", "*"},
		{"GET", "/rtc/v1/validate", 200, "wire /rtc/v1/validate ", "*"},
		{"GET", "//rtc/v1", 200, "wire /rtc/v1 ", "*"},
		{"OPTIONS", "/rtc/validate", 204, "", "*"},
		{"POST", "/twirp/livekit.RoomService/ListRooms", 200, "rooms /twirp/livekit.RoomService/ListRooms ", "*"},
		{"OPTIONS", "/twirp/livekit.RoomService/ListRooms", 204, "", "*"},
		{"GET", "/settings/regions", 200, "wire /settings/regions ", "*"},
		{"GET", "/rtcx", 200, "web /rtcx c=1", ""},
		{"GET", "/healthz", 200, "ok\n", ""},
	} {
		r := httptest.NewRequest(c.method, "http://aparte.example"+c.path, nil)
		r.Header.Set("Cookie", "c=1")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Header().Get("Strict-Transport-Security"); got != "" {
			t.Errorf("%s without TLS: Strict-Transport-Security: %s", c.path, got)
		}
		if w.Code != c.status || w.Body.String() != c.body || w.Header().Get("Access-Control-Allow-Origin") != c.cors || w.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s %s: %d %q, CORS %q", c.method, c.path, w.Code, w.Body, w.Header().Get("Access-Control-Allow-Origin"))
		}
	}
}

func TestAnHTTPSServerIsReachedByTLSOnly(t *testing.T) {
	h := signaling.NewServer(signaling.Handlers{
		API: named("api"), Wire: named("wire"), Web: named("web"), Secure: true,
		Healthy: func(context.Context) error { return nil },
	})
	for _, path := range []string{"/", "/api/v1/session", "/rtc", "/rtc/validate", "/healthz", "//rtc/v1", "/nothing/here"} {
		for _, method := range []string{"GET", "OPTIONS"} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(method, "http://aparte.example"+path, nil))
			if got := w.Header().Get("Strict-Transport-Security"); got != "max-age=31536000" {
				t.Errorf("%s %s: Strict-Transport-Security: %q, want a year", method, path, got)
			}
		}
	}
}

// Checking is a write, and nobody needs to sign in to ask.
func TestHealthIsCheckedOnceASecondAndTellsNobodyWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		var health error
		checks, hold := 0, make(chan struct{})
		h := signaling.NewServer(signaling.Handlers{
			API: named("api"), Wire: named("wire"), Web: named("web"),
			Log: slog.New(slog.NewTextHandler(&logged, nil)),
			Healthy: func(ctx context.Context) error {
				checks++
				select {
				case <-hold:
					return health
				case <-ctx.Done():
					return ctx.Err()
				}
			},
		})
		ask := func(ctx context.Context) (int, string) {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "http://aparte.example/healthz", nil))
			return w.Code, w.Body.String()
		}
		want := func(code int, body string, wantChecks int) {
			t.Helper()
			if gotCode, gotBody := ask(t.Context()); gotCode != code || gotBody != body || checks != wantChecks {
				t.Errorf("%d %q after %d checks; want %d %q, %d", gotCode, gotBody, checks, code, body, wantChecks)
			}
		}

		// A disk that hangs: everybody has an answer in time.
		var wg sync.WaitGroup
		codes := make(chan int, 20)
		for range 20 {
			wg.Go(func() { code, _ := ask(t.Context()); codes <- code })
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		if code, _ := ask(gone); code != http.StatusServiceUnavailable {
			t.Errorf("who leaves gets %d", code)
		}
		wg.Wait()
		close(codes)
		for code := range codes {
			if code != http.StatusServiceUnavailable {
				t.Errorf("while the disk hangs: %d", code)
			}
		}
		close(hold)
		time.Sleep(2 * time.Second)
		checks = 0
		for range 100 {
			want(http.StatusOK, "ok\n", 1)
		}
		health = errors.New("disk is full")
		time.Sleep(time.Second)
		for range 100 {
			want(http.StatusServiceUnavailable, "unhealthy\n", 2)
		}
		health = nil
		time.Sleep(time.Second)
		want(http.StatusOK, "ok\n", 3)
		if got := logged.String(); strings.Count(got, "disk is full") != 1 || strings.Count(got, "healthy again") != 2 {
			t.Errorf("the log says\n%s", got)
		}
	})
}

func TestDemoLinksWork(t *testing.T) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	s, err := store.Open(t.Context(), storetest.Dir(t), log)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	logins := login.New(s, time.Now, rand.Reader, log)
	meetings := meeting.NewMeetings(meeting.Config{Store: s, Media: meetingtest.Deaf{}, Now: time.Now, Random: rand.Reader, Log: log})
	defer meetings.Close()
	posts := post.NewPosts(s, meetings, post.Archive{}, time.Now, rand.Reader)
	demo, err := signaling.MakeDemo(t.Context(), logins, posts, meetings, rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	a, _, err := logins.SignInOnce(t.Context(), demo.SignInCode, login.From{Source: "here"})
	if err != nil {
		t.Fatal(err)
	}
	all, err := meetings.List(t.Context(), meeting.Agent{Account: a.ID}, "")
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
	if _, v, err := meetings.Redeem(t.Context(), demo.LinkID, base64.RawURLEncoding.EncodeToString(code), nil); err != nil || v.Title != all[0].Title {
		t.Errorf("the demo link gives %+v, %v", v, err)
	}
	if _, err := signaling.MakeDemo(t.Context(), logins, posts, meetings, rand.Reader, time.Now()); !errors.Is(err, login.ErrTaken) {
		t.Errorf("a second demo: %v", err)
	}
	checks := netcheck.New(netcheck.Config{Now: time.Now})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); signaling.Sweep(ctx, meetings, checks) }()
	stop()
	<-done
}

// shelf is where recordings are kept, on a disk that may hang.
type shelf struct {
	recording.Kept
	deletes, looks atomic.Int32
	hang           chan struct{} // nil: it does not
	hangs          string        // what
}

func (s *shelf) wait(what string) {
	if s.hangs == what {
		<-s.hang
	}
}

func (s *shelf) Delete(context.Context, string) error {
	s.deletes.Add(1)
	s.wait("deleting")
	return nil
}

func (s *shelf) Parts(context.Context, string) ([]recording.Part, error) {
	s.looks.Add(1)
	s.wait("looking")
	return nil, nil
}

// swept is a store in which there is always something for the sweeps.
type swept struct {
	meeting.Store
	chats, hostless atomic.Int32
}

func (s *swept) ExpireChat(context.Context, time.Time, int) (int, error) {
	s.chats.Add(1)
	return 0, nil
}

func (s *swept) Hostless(context.Context, int) ([]string, error) {
	s.hostless.Add(1)
	return nil, nil
}

func (s *swept) Recorded(context.Context, int) ([]string, error) { return nil, nil }

func (s *swept) RecordingsTake(context.Context, string) ([]meeting.PostRecordings, error) {
	return []meeting.PostRecordings{{Post: "dakar", Ongoing: []recording.Recording{{ID: "R"}}}}, nil
}

func (s *swept) DueRecordings(context.Context, time.Time, time.Time, int) ([]recording.Recording, error) {
	return []recording.Recording{{ID: "R"}, {ID: "S"}}, nil
}

func (s *swept) KeepRecording(context.Context, string, string, func(recording.Entry) (recording.Keeping, []audit.Draft, error)) error {
	return nil
}

func (s *swept) StartedRecording(context.Context, string, string) (recording.Entry, error) {
	return recording.Entry{}, recording.ErrNone
}

// Whatever of the sweeps waits for a disk that hangs, the others keep their time, and
// nothing more is begun once it is over.
func TestNoSweepHoldsAnotherUp(t *testing.T) {
	for _, c := range []struct {
		hangs                           string
		chats, hostless, looks, deletes int32 // in three minutes
	}{
		{"", 3, 3, 3, 6},
		{"deleting", 3, 3, 3, 1},
		{"looking", 3, 3, 1, 6},
	} {
		t.Run(c.hangs, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				kept, stored := &shelf{hang: make(chan struct{}), hangs: c.hangs}, new(swept)
				meetings := meeting.NewMeetings(meeting.Config{
					Store: stored, Media: meetingtest.Deaf{}, Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler), Kept: kept, Quotas: recording.Quotas{Each: 1000},
				})
				ctx, stop := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() {
					defer close(done)
					signaling.Sweep(ctx, meetings, netcheck.New(netcheck.Config{Now: time.Now}))
				}()
				time.Sleep(3*time.Minute + time.Second)
				synctest.Wait()
				if got := [4]int32{stored.chats.Load(), stored.hostless.Load(), kept.looks.Load(), kept.deletes.Load()}; got != [4]int32{c.chats, c.hostless, c.looks, c.deletes} {
					t.Errorf("in three minutes: chats, meetings without a host, sizes and deletions were seen to %v times, want %v", got, c)
				}
				stop()
				close(kept.hang)
				<-done
				if got := kept.deletes.Load(); got != c.deletes {
					t.Errorf("%d deletions were begun after it was over", got-c.deletes)
				}
				meetings.Close()
			})
		})
	}
}
