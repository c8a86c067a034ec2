package signaling_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"

	"aparte/sfu"
	"aparte/sfu/transport"
	"aparte/signaling"
	"aparte/signaling/link"
	"aparte/signaling/lobby"
	"aparte/signaling/login"
	"aparte/signaling/meeting"
	"aparte/signaling/post"
	"aparte/signaling/store"
	"aparte/signaling/store/storetest"
	"aparte/signaling/token"
	"aparte/signaling/wire"
)

// house is everything between a guest's link and the room, as cmd/aparte joins
// it: what a host decides must reach the wire.
type house struct {
	t        *testing.T
	meetings *meeting.Meetings
	tokens   *token.Meetings
	url      string
	anne     meeting.Agent
	meeting  string
	guest    meeting.Caller
}

// hang is how long a test waits for what must come.
const hang = 20 * time.Second

func newHouse(t *testing.T) *house {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s, err := store.Open(ctx, storetest.Dir(t), log)
	must(err)
	t.Cleanup(func() { s.Close() })
	logins := login.New(s, time.Now, rand.Reader, log)
	engine, err := transport.NewEngine(transport.Config{Addrs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Log: log})
	must(err)
	presence := &signaling.Presence{}
	rooms := sfu.New(sfu.Config{Engine: engine, Listener: presence, Log: log})
	h := &house{t: t}
	h.meetings = meeting.NewMeetings(meeting.Config{Store: s, Media: rooms.Meetings(), Now: time.Now, Random: rand.Reader, Log: log})
	presence.Meetings = h.meetings
	h.tokens, err = token.NewMeetings(make([]byte, 32), h.meetings, logins, time.Now, log)
	must(err)
	signals := wire.NewServer(wire.Config{SFU: rooms, Log: log, Authorizer: h.tokens})
	server := httptest.NewServer(signals)
	h.url = server.URL
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), hang)
		defer cancel()
		if err := rooms.Close(ctx); err != nil {
			t.Error(err)
		}
		signals.Close()
		server.Close()
		h.meetings.Close()
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})

	demo, err := signaling.MakeDemo(ctx, logins, post.NewPosts(s, h.meetings, post.Archive{}, time.Now, rand.Reader), h.meetings, rand.Reader, time.Now())
	must(err)
	account, session, err := logins.SignInOnce(ctx, demo.SignInCode, login.From{Source: "here"})
	must(err)
	who, _, err := logins.Who(ctx, session, login.From{})
	must(err)
	h.anne, h.meeting = meeting.Agent{Account: account.ID, Name: account.Name, Session: who.ID}, demo.Meeting
	secret, err := base64.RawURLEncoding.DecodeString(demo.Secret)
	must(err)
	code, err := link.Code(secret)
	must(err)
	bearer, _, err := h.meetings.Redeem(ctx, demo.LinkID, base64.RawURLEncoding.EncodeToString(code), nil)
	must(err)
	h.guest, err = h.meetings.Recognise(ctx, bearer)
	must(err)
	_, err = h.meetings.Knock(ctx, h.guest, meeting.Asking{Name: "Inês"})
	must(err)
	return h
}

// admit lets the guest in and returns the token of the new admission.
func (h *house) admit(p lobby.Permissions) string {
	h.t.Helper()
	all, err := h.meetings.Knocks(h.t.Context(), h.anne, h.meeting)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.meetings.Admit(h.t.Context(), h.anne, h.meeting, all[0].ID, p); err != nil {
		h.t.Fatal(err)
	}
	return h.claim()
}

func (h *house) claim() string {
	h.t.Helper()
	g, err := h.meetings.Claim(h.t.Context(), h.guest)
	if err != nil {
		h.t.Fatal(err)
	}
	text, err := h.tokens.Issue(g)
	if err != nil {
		h.t.Fatal(err)
	}
	return text
}

// seat is a connection of the wire.
type seat struct {
	t  *testing.T
	ws *websocket.Conn
}

// dial connects with a token; nil and the status if that is refused.
func (h *house) dial(text string, more url.Values) (*seat, int) {
	h.t.Helper()
	more.Set("access_token", text)
	more.Set("protocol", "16")
	ws, res, err := websocket.DefaultDialer.DialContext(h.t.Context(), "ws"+strings.TrimPrefix(h.url, "http")+"/rtc?"+more.Encode(), nil)
	if res == nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	if err != nil {
		return nil, res.StatusCode
	}
	h.t.Cleanup(func() { ws.Close() })
	return &seat{h.t, ws}, res.StatusCode
}

// until reads messages up to one that matches.
func (s *seat) until(what string, match func(*livekit.SignalResponse) bool) *livekit.SignalResponse {
	s.t.Helper()
	if err := s.ws.SetReadDeadline(time.Now().Add(hang)); err != nil {
		s.t.Fatal(err)
	}
	for {
		_, data, err := s.ws.ReadMessage()
		if err != nil {
			s.t.Fatalf("%s: %v", what, err)
		}
		m := &livekit.SignalResponse{}
		if err := proto.Unmarshal(data, m); err != nil {
			s.t.Fatal(err)
		}
		if match(m) {
			return m
		}
	}
}

func (h *house) join(text string) (*seat, *livekit.JoinResponse) {
	h.t.Helper()
	s, status := h.dial(text, url.Values{})
	if s == nil {
		h.t.Fatalf("join: %d", status)
	}
	return s, s.until("join", func(m *livekit.SignalResponse) bool { return m.GetJoin() != nil }).GetJoin()
}

// present waits until the meeting knows that somebody is in the call: a join that
// is still under way would be undone by other means.
func (h *house) present() {
	h.t.Helper()
	watch, err := h.meetings.WatchAsHost(h.t.Context(), h.anne, h.meeting)
	if err != nil {
		h.t.Fatal(err)
	}
	defer watch.Unwatch()
	deadline := time.After(hang)
	for {
		select {
		case e := <-watch.Events:
			if len(e.Participants) > 0 {
				return
			}
		case <-deadline:
			h.t.Fatal("nobody came into the call")
		}
	}
}

// What a guest held before being sent back opens nothing: neither a join nor a
// resume nor, once let in again, either of them.
func TestWhoIsSentBackHoldsNothing(t *testing.T) {
	h := newHouse(t)
	old := h.admit(lobby.Everything())
	in, joined := h.join(old)
	h.present()
	resume := url.Values{"reconnect": {"1"}, "sid": {joined.Participant.Sid}}

	if _, err := h.meetings.SendBack(t.Context(), h.anne, h.meeting, joined.Participant.Identity); err != nil {
		t.Fatal(err)
	}
	left := in.until("leave", func(m *livekit.SignalResponse) bool { return m.GetLeave() != nil }).GetLeave()
	if left.Reason != livekit.DisconnectReason_PARTICIPANT_REMOVED || left.Action != livekit.LeaveRequest_DISCONNECT {
		t.Errorf("the client is told %v", left)
	}
	refused := func(when string) {
		t.Helper()
		for what, query := range map[string]url.Values{"join": {}, "resume": resume} {
			if s, status := h.dial(old, query); s != nil || status != http.StatusUnauthorized {
				t.Errorf("%s with the old token %s: %d", what, when, status)
			}
		}
	}
	refused("in the lobby")
	if _, err := h.meetings.Claim(t.Context(), h.guest); !errors.Is(err, meeting.ErrNotAdmitted) {
		t.Errorf("a token in the lobby: %v", err)
	}

	fresh := h.admit(lobby.Everything())
	refused("once let in again")
	if _, again := h.join(fresh); again.Participant.Identity != joined.Participant.Identity {
		t.Errorf("comes back as %s, was %s", again.Participant.Identity, joined.Participant.Identity)
	}
	refused("in the call again")
}

func TestPermissionsAreTheRooms(t *testing.T) {
	h := newHouse(t)
	text := h.admit(lobby.Permissions{Speak: true, Chat: true})
	in, joined := h.join(text)
	if p := joined.Participant.Permission; !p.CanPublish || len(p.CanPublishSources) != 1 || p.CanPublishSources[0] != livekit.TrackSource_MICROPHONE || p.CanPublishData {
		t.Errorf("joined with %v", p)
	}
	identity := joined.Participant.Identity
	if _, err := h.meetings.Permit(t.Context(), h.anne, h.meeting, identity, lobby.Permissions{Camera: true}); err != nil {
		t.Fatal(err)
	}
	camera := func(p *livekit.ParticipantPermission) bool {
		return p.GetCanPublish() && len(p.GetCanPublishSources()) == 1 && p.GetCanPublishSources()[0] == livekit.TrackSource_CAMERA && !p.GetCanPublishData()
	}
	in.until("the new permission", func(m *livekit.SignalResponse) bool {
		for _, p := range m.GetUpdate().GetParticipants() {
			if p.Identity == identity && camera(p.Permission) {
				return true
			}
		}
		return false
	})
	// The token of before says what the admission allows now.
	if _, again := h.join(text); !camera(again.Participant.Permission) {
		t.Errorf("comes back with %v", again.Participant.Permission)
	}
}

func TestABanReachesTheCall(t *testing.T) {
	h := newHouse(t)
	text := h.admit(lobby.Everything())
	in, _ := h.join(text)
	h.present()
	all, err := h.meetings.Knocks(t.Context(), h.anne, h.meeting)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.meetings.Ban(t.Context(), h.anne, h.meeting, all[0].ID, ""); err != nil {
		t.Fatal(err)
	}
	in.until("leave", func(m *livekit.SignalResponse) bool { return m.GetLeave() != nil })
	if s, status := h.dial(text, url.Values{}); s != nil || status != http.StatusUnauthorized {
		t.Errorf("join after the ban: %d", status)
	}
}
