package hook_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/encoding/protojson"

	"aparte/sfu"
	"aparte/sfu/leaktest"
	"aparte/signaling/hook"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

const key, secret = "testkey", "testsecret"

// receiver answers as told and keeps what it took.
type receiver struct {
	mu     sync.Mutex
	events []*livekit.WebhookEvent
	tries  []time.Time
	answer func(try int, e *livekit.WebhookEvent) (status int, err error)
}

// RoundTrip is the network: no socket, so that time is the test's.
func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	e, err := read(req)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tries = append(r.tries, time.Now())
	status := http.StatusOK
	if r.answer != nil {
		if status, err = r.answer(len(r.tries), e); err != nil {
			return nil, err
		}
	}
	if status/100 == 2 {
		r.events = append(r.events, e)
	}
	return &http.Response{
		StatusCode: status, Body: io.NopCloser(strings.NewReader("")), Request: req,
		Header: http.Header{"Location": {"http://169.254.169.254/"}},
	}, nil
}

// read verifies a request as LiveKit's own receiver does.
func read(req *http.Request) (*livekit.WebhookEvent, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	v, err := auth.ParseAPIToken(req.Header.Get("Authorization"))
	if err != nil {
		return nil, err
	}
	_, claims, err := v.Verify(secret)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	if v.APIKey() != key || claims.Sha256 != base64.StdEncoding.EncodeToString(sum[:]) ||
		req.Method != http.MethodPost || req.Header.Get("Content-Type") != "application/webhook+json" {
		return nil, fmt.Errorf("not as signed: %v", req.Header)
	}
	e := &livekit.WebhookEvent{}
	return e, protojson.Unmarshal(body, e)
}

func (r *receiver) names() (out []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		out = append(out, e.Room.Name+" "+e.Event)
	}
	return out
}

func newSender(t *testing.T, transport http.RoundTripper, urls ...string) *hook.Sender {
	t.Helper()
	s, err := hook.New(hook.Config{URLs: urls, Key: key, Secret: secret, Log: slog.New(slog.DiscardHandler), Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func event(room string, kind sfu.EventKind) sfu.Event {
	return sfu.Event{Kind: kind, At: time.Unix(1700000000, 0), Room: &livekit.Room{Name: room}}
}

const at = "http://receiver.example/hook"

func TestEventsAreWordedAsLiveKits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		s := newSender(t, r, at)
		ann := &livekit.ParticipantInfo{Sid: "PA_1", Identity: "ann"}
		for _, e := range []sfu.Event{
			event("r", sfu.RoomStarted),
			{Kind: sfu.Joined, Room: &livekit.Room{Name: "r"}, Participant: ann}, // says nothing yet
			{Kind: sfu.Connected, Room: &livekit.Room{Name: "r"}, Participant: ann},
			{Kind: sfu.TrackPublished, Room: &livekit.Room{Name: "r"}, Participant: ann, Track: &livekit.TrackInfo{Sid: "TR_1"}},
			{Kind: sfu.TrackUnpublished, Room: &livekit.Room{Name: "r"}, Participant: ann, Track: &livekit.TrackInfo{Sid: "TR_1"}},
			{Kind: sfu.Left, Room: &livekit.Room{Name: "r"}, Participant: ann, WasConnected: true},
			{Kind: sfu.Left, Room: &livekit.Room{Name: "r"}, Participant: ann},
			{Kind: sfu.RoomFinished, Room: &livekit.Room{Name: "r"}, Ended: livekit.RoomEndReason_ROOM_END_API_DELETE},
		} {
			s.Told(e)
		}
		s.Close(t.Context())
		want := []string{
			"r room_started", "r participant_joined", "r track_published", "r track_unpublished",
			"r participant_left", "r participant_connection_aborted", "r room_finished",
		}
		if got := r.names(); !slices.Equal(got, want) {
			t.Fatalf("heard %q, want %q", got, want)
		}
		first, track, last := r.events[0], r.events[2], r.events[6]
		if first.CreatedAt != 1700000000 || !strings.HasPrefix(first.Id, "EV_") || first.Id == last.Id {
			t.Errorf("event %v", first)
		}
		if track.Track.Sid != "TR_1" || track.Participant.Identity != "ann" || last.RoomEndReason != livekit.RoomEndReason_ROOM_END_API_DELETE {
			t.Errorf("events %v, %v", track, last)
		}
	})
}

func TestMeetingsAreToldToNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		s := newSender(t, r, at)
		e := event("r", sfu.RoomStarted)
		e.Space = sfu.MeetingSpace
		s.Told(e)
		s.Close(t.Context())
		if len(r.tries) != 0 {
			t.Errorf("heard %q", r.names())
		}
	})
}

// A receiver that fails now and then gets everything, the events of a room in order.
func TestRetriesKeepTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing := 0
		tries := map[string]int{} // by event: rooms take turns as the scheduler likes
		r := &receiver{answer: func(_ int, e *livekit.WebhookEvent) (int, error) {
			switch tries[e.Id]++; tries[e.Id] {
			case 1:
				failing++
				return 0, errors.New("network down")
			case 2:
				failing++
				return http.StatusServiceUnavailable, nil
			}
			return http.StatusNoContent, nil
		}}
		s := newSender(t, r, at)
		var want []string
		for i := range 5 {
			for _, room := range []string{"a", "b", "c"} {
				s.Told(event(fmt.Sprint(room, i), sfu.RoomStarted))
				s.Told(event(room, []sfu.EventKind{sfu.RoomStarted, sfu.RoomFinished}[i%2]))
			}
			want = append(want, []string{"a room_started", "a room_finished"}[i%2])
		}
		s.Close(t.Context())
		var got []string
		for _, name := range r.names() {
			if strings.HasPrefix(name, "a ") {
				got = append(got, name)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("of room a: %q, want %q", got, want)
		}
		if st := s.Stats(); st.Delivered != 30 || st.Retries != uint64(failing) || st.Full+st.Refused+st.GaveUp+st.Stopped != 0 {
			t.Errorf("stats %+v after %d failed tries", st, failing)
		}
	})
}

func TestPausesGrowAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: func(int, *livekit.WebhookEvent) (int, error) { return http.StatusBadGateway, nil }}
		s := newSender(t, r, at)
		began := time.Now()
		s.Told(event("r", sfu.RoomStarted))
		s.Close(t.Context())
		if took := time.Since(began); took < 20*time.Second || took > 90*time.Second {
			t.Errorf("gave up after %v", took)
		}
		if len(r.tries) < 4 || len(r.tries) > 12 {
			t.Fatalf("%d tries", len(r.tries))
		}
		if first, last := r.tries[1].Sub(r.tries[0]), r.tries[len(r.tries)-1].Sub(r.tries[len(r.tries)-2]); last < 4*first {
			t.Errorf("the first pause was %v, the last %v", first, last)
		}
		if st := s.Stats(); st.GaveUp != 1 || st.Delivered != 0 {
			t.Errorf("stats %+v", st)
		}
	})
}

// What another try will not change is not tried again; redirects count as that.
func TestRefusalsAndRedirectsAreFinal(t *testing.T) {
	for _, status := range []int{301, 302, 307, 308, 400, 401, 404, 410} {
		synctest.Test(t, func(t *testing.T) {
			r := &receiver{answer: func(int, *livekit.WebhookEvent) (int, error) { return status, nil }}
			s := newSender(t, r, at)
			s.Told(event("r", sfu.RoomStarted))
			s.Close(t.Context())
			if st := s.Stats(); len(r.tries) != 1 || st.Refused != 1 {
				t.Errorf("status %d: %d tries, stats %+v", status, len(r.tries), st)
			}
		})
	}
}

// A receiver that hangs holds up no room, and what waits for it is bounded; the
// other receiver does not notice.
func TestASlowReceiverHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := &receiver{}
		s := newSender(t, split{"slow.example": hanging{}, "good.example": good}, "http://slow.example/", "http://good.example/")
		const n = 2000
		began := time.Now()
		for i := range n {
			s.Told(event("r", sfu.RoomStarted))
			if i%100 == 99 {
				synctest.Wait() // the good one keeps up
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("the rooms waited %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s.Close(ctx)
		if got := len(good.names()); got != n {
			t.Errorf("the good receiver has %d events, want %d", got, n)
		}
		st := s.Stats()
		if st.Full < n-600 || st.Full > n-400 || st.Full+st.Stopped+st.Delivered != 2*n {
			t.Errorf("stats %+v: every event is delivered or counted as dropped", st)
		}
	})
}

type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// split sends by host.
type split map[string]http.RoundTripper

func (s split) RoundTrip(r *http.Request) (*http.Response, error) { return s[r.URL.Host].RoundTrip(r) }

func TestBytesThatWaitAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSender(t, hanging{}, at)
		big := strings.Repeat("x", 64<<10)
		for i := range 1000 {
			e := event(fmt.Sprint("room", i), sfu.RoomStarted)
			e.Room.Metadata = big
			s.Told(e)
		}
		if st := s.Stats(); st.Full < 700 {
			t.Errorf("stats %+v: more than 16 MiB wait", st)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s.Close(ctx)
		s.Told(event("late", sfu.RoomStarted)) // must not panic
	})
}

// An answer without end is not read, a redirect not followed.
func TestARealReceiverThatMisbehaves(t *testing.T) {
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer inside.Close()
	posted := make(chan string, 10)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		posted <- r.URL.Path
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, inside.URL, http.StatusTemporaryRedirect)
			return
		}
		for range 100000 { // 100 MB
			if _, err := w.Write(make([]byte, 1000)); err != nil {
				return
			}
		}
		t.Error("the whole answer was read")
	}))
	defer web.Close()
	s := newSender(t, nil, web.URL+"/redirect", web.URL+"/endless")
	s.Told(event("r", sfu.RoomStarted))
	s.Close(t.Context())
	if st := s.Stats(); st.Delivered != 1 || st.Refused != 1 || len(posted) != 2 {
		t.Errorf("stats %+v, %d requests", st, len(posted))
	}
}

func TestURLsAreChecked(t *testing.T) {
	for _, u := range []string{"", "receiver.example", "ftp://receiver.example", "http://", "://"} {
		if _, err := hook.New(hook.Config{URLs: []string{u}, Log: slog.New(slog.DiscardHandler)}); err == nil {
			t.Errorf("%q was taken", u)
		}
	}
}
