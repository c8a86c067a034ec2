package api_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/livekit"

	"aparte/sfu/leaktest"
	"aparte/signaling/api"
	"aparte/signaling/file"
	"aparte/signaling/link"
	"aparte/signaling/login"
	"aparte/signaling/meeting"
	"aparte/signaling/meeting/meetingtest"
	"aparte/signaling/name"
	"aparte/signaling/netcheck"
	"aparte/signaling/post"
	"aparte/signaling/recording/recordingtest"
	"aparte/signaling/store"
	"aparte/signaling/store/storetest"
	"aparte/signaling/token"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// hang is how long a test waits for what must happen.
const hang = 20 * time.Second

// fakeCall stands for the SFU: it notes what is asked of it.
type fakeCall struct {
	meetingtest.Deaf
	mu      sync.Mutex
	removed []string // identities
	heard   chan string
	closed  []string // rooms
	told    []told

	permitted map[string]*livekit.ParticipantPermission
}

func (f *fakeCall) Remove(_, identity string, _ livekit.DisconnectReason) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.removed = append(f.removed, identity)
	f.heard <- identity
	return true
}

func (f *fakeCall) CloseRoom(room string, _ livekit.DisconnectReason) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = append(f.closed, room)
	return true
}

func (f *fakeCall) SetPermission(_, identity string, p *livekit.ParticipantPermission) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.permitted == nil {
		f.permitted = make(map[string]*livekit.ParticipantPermission)
	}
	f.permitted[identity] = p
	return true
}

func (f *fakeCall) wasRemoved(identity string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.removed, identity)
}

// clock is the time of a server under test.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *clock) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

// flaky is a store of accounts whose disk fails on demand.
type flaky struct {
	*store.Store
	failReads, failWrites atomic.Bool
}

var errDisk = errors.New("disk I/O error")

func (f *flaky) SessionByToken(ctx context.Context, hash [32]byte) (login.Session, login.Account, error) {
	if f.failReads.Load() {
		return login.Session{}, login.Account{}, fmt.Errorf("%w: %w", store.ErrUnavailable, errDisk)
	}
	return f.Store.SessionByToken(ctx, hash)
}

func (f *flaky) TouchSession(ctx context.Context, id string, now time.Time, from login.From) error {
	if f.failWrites.Load() {
		return fmt.Errorf("%w: %w", store.ErrUnavailable, errDisk)
	}
	return f.Store.TouchSession(ctx, id, now, from)
}

// server is the signalling over a real database, without media.
type server struct {
	t           *testing.T
	dir         string
	clock       *clock
	timing      api.Timing
	source      func(*http.Request) string // set before start; nil: the peer
	call        *fakeCall
	store       *store.Store
	accounts    *flaky
	login       *login.Login
	files       *file.Store
	limits      meeting.FileLimits // set before start
	recorder    *recordingtest.Recorder
	unable      bool // to record anything new; set before start
	serverKey   bool // recordings can be watched
	meetings    *meeting.Meetings
	posts       *post.Posts
	post        post.Post // of every agent that a test does not send elsewhere
	tokens      *token.Meetings
	checks      *netcheck.Checks
	checkTokens *token.Checks
	api         *api.API
	http        *httptest.Server
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, dir: storetest.Dir(t), clock: &clock{now: time.Date(2027, 3, 2, 9, 0, 0, 0, time.UTC)}, recorder: &recordingtest.Recorder{}}
	s.start()
	t.Cleanup(s.stop)
	s.post = s.newPost("Dakar")
	return s
}

// readKey is a reader of keys for whom one is as good as another: what they really are is
// known to package seal.
func readKey(typed string) (string, error) {
	key := strings.TrimSpace(typed)
	if !strings.HasPrefix(key, "age1pq1") {
		return "", &name.Error{At: "key", Reason: "is not a hybrid one", Code: post.CodeClassicKey}
	}
	return key, nil
}

func (s *server) start() {
	s.t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	var err error
	if s.store, err = store.Open(s.t.Context(), s.dir, log); err != nil {
		s.t.Fatal(err)
	}
	s.call = &fakeCall{heard: make(chan string, 1000)}
	s.accounts = &flaky{Store: s.store}
	s.login = login.New(s.accounts, s.clock.Now, rand.Reader, log)
	if s.files, err = file.Open(file.Config{Dir: filepath.Join(s.dir, "files"), Total: 1 << 30, Log: log}); err != nil {
		s.t.Fatal(err)
	}
	config := meeting.Config{
		Store: s.store, Media: s.call, Now: s.clock.Now, Random: rand.Reader, Log: log,
		NewShelf: func() (meeting.Shelf, error) { return s.files.NewShelf() }, Files: s.limits,
	}
	config.Kept, config.Recorder, config.NoRecipients = s.recorder, s.recorder, s.unable
	config.ServerKey = s.serverKey
	s.meetings = meeting.NewMeetings(config)
	s.posts = post.NewPosts(s.store, s.meetings, post.Archive{Read: readKey}, s.clock.Now, rand.Reader)
	key, err := s.store.SigningKey(s.t.Context(), "meetings", rand.Reader, s.clock.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	if s.tokens, err = token.NewMeetings(key, s.meetings, s.login, s.clock.Now, log); err != nil {
		s.t.Fatal(err)
	}
	s.checks = netcheck.New(netcheck.Config{Rooms: s.call, Ways: []netcheck.Way{netcheck.UDP, netcheck.TCP}, Now: s.clock.Now})
	if s.checkTokens, err = token.NewChecks(s.checks, s.clock.Now, rand.Reader); err != nil {
		s.t.Fatal(err)
	}
	// The origin is only known once the server listens.
	var handler http.Handler
	s.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	s.api = api.New(api.Config{
		Login: s.login, Meetings: s.meetings, Posts: s.posts, Tokens: s.tokens, Checks: s.checks, CheckTokens: s.checkTokens, Trail: s.store, Health: looked{someHealth}, Origins: []string{s.http.URL},
		Now: s.clock.Now, Log: log, Timing: s.timing, Source: s.source,
	})
	handler = s.api
}

func (s *server) stop() {
	s.api.Close()
	s.http.Close()
	s.meetings.Close()
	if err := s.files.Close(); err != nil {
		s.t.Error(err)
	}
	if err := s.store.Close(); err != nil {
		s.t.Error(err)
	}
}

// restart is a new process over the same data.
func (s *server) restart() {
	s.stop()
	s.start()
}

// person is a browser: cookies for an agent, a bearer token for a guest.
type person struct {
	s      *server
	client *http.Client
	bearer string
	header http.Header // more of it
}

func (s *server) person() *person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &person{s: s, client: &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}, header: make(http.Header)}
}

// raw calls with a body as it is.
func (p *person) raw(method, path, body string) (int, http.Header, []byte) {
	p.s.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(p.s.t.Context(), method, p.s.http.URL+"/api/v1"+path, reader)
	if err != nil {
		p.s.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if p.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+p.bearer)
	}
	maps.Copy(req.Header, p.header)
	res, err := p.client.Do(req)
	if err != nil {
		p.s.t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		p.s.t.Fatal(err)
	}
	return res.StatusCode, res.Header, data
}

// do calls and decodes what must be the answer.
func do[T any](p *person, want int, method, path string, body any) T {
	p.s.t.Helper()
	text := ""
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			p.s.t.Fatal(err)
		}
		text = string(data)
	}
	status, _, data := p.raw(method, path, text)
	if status != want {
		p.s.t.Fatalf("%s %s: %d %s, want %d", method, path, status, data, want)
	}
	var out T
	if len(data) > 0 {
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&out); err != nil {
			p.s.t.Fatalf("%s %s: %s: %v", method, path, data, err)
		}
	}
	return out
}

// refused calls and checks which problem it is.
func (p *person) refused(code string, status int, method, path string, body any) api.Problem {
	p.s.t.Helper()
	got := do[api.Problem](p, status, method, path, body)
	if got.Type != "urn:aparte:problem:"+code || got.Status != status || got.Title == "" {
		p.s.t.Fatalf("%s %s: problem %+v, want %s", method, path, got, code)
	}
	return got
}

// newPost makes a post without anybody.
func (s *server) newPost(called string) post.Post {
	s.t.Helper()
	made, err := s.posts.Create(s.t.Context(), "", post.Draft{Name: called, TimeZone: "Africa/Dakar", Languages: []string{"fr"}})
	if err != nil {
		s.t.Fatal(err)
	}
	return made
}

// agent signs a new agent of the server's post in.
func (s *server) agent(email string) *person {
	return s.member(email, s.as(post.Agent))
}

// as is a role at the server's post.
func (s *server) as(role post.Role) post.Membership { return post.Membership{Post: s.post, Role: role} }

// member signs a new account in with its roles.
func (s *server) member(email string, at ...post.Membership) *person {
	s.t.Helper()
	a, code, err := s.login.Invite(s.t.Context(), "Anne Bernard", email, at...)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range at {
		if err := s.posts.Changed(s.t.Context(), a.ID, m.Post.ID); err != nil {
			s.t.Fatal(err)
		}
	}
	p := s.person()
	do[api.SignedIn](p, http.StatusOK, "POST", "/session/one-time", api.OneTimeCode{Code: code})
	return p
}

// id is the person's account.
func (p *person) id() string {
	return do[api.SignedIn](p, http.StatusOK, "GET", "/session", nil).Account.ID
}

func (p *person) meeting() api.Meeting {
	return do[api.Meeting](p, http.StatusCreated, "POST", "/meetings", map[string]any{"title": "Coopération consulaire"})
}

// madeLink is a link, its secret and the code its guests send.
type madeLink struct {
	api.Link
	secret []byte
	code   string
}

func (p *person) link(meetingID string, draft api.LinkDraft) madeLink {
	p.s.t.Helper()
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	code, err := link.Code(secret)
	if err != nil {
		p.s.t.Fatal(err)
	}
	sum := sha256.Sum256(code)
	draft.CodeHash = base64.RawURLEncoding.EncodeToString(sum[:])
	if draft.ExpiresAt.IsZero() {
		draft.ExpiresAt = p.s.clock.Now().Add(48 * time.Hour)
	}
	if draft.Kind == "" {
		draft.Kind = "shared"
	}
	made := do[api.Link](p, http.StatusCreated, "POST", "/meetings/"+meetingID+"/links", draft)
	return madeLink{made, secret, base64.RawURLEncoding.EncodeToString(code)}
}

// guest opens a link in a new tab.
func (s *server) guest(l madeLink) *person {
	s.t.Helper()
	p := s.person()
	p.bearer = do[api.Redeemed](p, http.StatusOK, "POST", "/guest/redeem", api.Redeem{LinkID: l.ID, Code: l.code}).Session
	return p
}

func (p *person) knock(called string) api.GuestView {
	p.s.t.Helper()
	return do[api.GuestView](p, http.StatusOK, "POST", "/guest/knock", map[string]any{"name": called})
}

func (p *person) knocks(meetingID string) []api.Knock {
	p.s.t.Helper()
	return do[api.KnockList](p, http.StatusOK, "GET", "/meetings/"+meetingID+"/knocks", nil).Knocks
}

func (p *person) decide(meetingID, knock, decision string) api.Knock {
	p.s.t.Helper()
	var body any
	if decision != "lift" {
		body = map[string]any{}
	}
	return do[api.Knock](p, http.StatusOK, "POST", "/meetings/"+meetingID+"/knocks/"+knock+"/"+decision, body)
}

// dial opens a socket of the API, or returns the status of the refusal.
func (p *person) dial(path, origin string) (*websocket.Conn, int) {
	p.s.t.Helper()
	header := make(http.Header)
	if origin != "" {
		header.Set("Origin", origin)
	}
	dialer := websocket.Dialer{Jar: p.client.Jar, HandshakeTimeout: hang}
	ws, res, err := dialer.DialContext(p.s.t.Context(), "ws"+strings.TrimPrefix(p.s.http.URL, "http")+"/api/v1"+path, header)
	if res == nil {
		p.s.t.Fatal(err)
	}
	defer res.Body.Close()
	if err == nil {
		p.s.t.Cleanup(func() { ws.Close() })
	}
	return ws, res.StatusCode
}

// socket is an open socket whose messages a test awaits.
type socket[T any] struct {
	t  *testing.T
	ws *websocket.Conn
}

func (s socket[T]) next() T {
	s.t.Helper()
	var v T
	if err := s.ws.SetReadDeadline(time.Now().Add(hang)); err != nil {
		s.t.Fatal(err)
	}
	if err := s.ws.ReadJSON(&v); err != nil {
		s.t.Fatal(err)
	}
	return v
}

// until reads messages up to one that satisfies.
func (s socket[T]) until(what string, satisfies func(T) bool) T {
	s.t.Helper()
	for range 1000 {
		if v := s.next(); satisfies(v) {
			return v
		}
	}
	s.t.Fatalf("never: %s", what)
	panic("unreachable")
}

// closed reads up to the close frame and returns its code.
func (s socket[T]) closed() int {
	s.t.Helper()
	if err := s.ws.SetReadDeadline(time.Now().Add(hang)); err != nil {
		s.t.Fatal(err)
	}
	for {
		if _, _, err := s.ws.ReadMessage(); err != nil {
			if e, ok := errors.AsType[*websocket.CloseError](err); ok {
				return e.Code
			}
			s.t.Fatalf("socket ended without a close frame: %v", err)
		}
	}
}

func (p *person) hostSocket(meetingID string) socket[api.HostMessage] {
	p.s.t.Helper()
	ws, status := p.dial("/meetings/"+meetingID+"/host", p.s.http.URL)
	if ws == nil {
		p.s.t.Fatalf("host socket: %d", status)
	}
	return socket[api.HostMessage]{p.s.t, ws}
}

func (p *person) lobbySocket() socket[api.GuestMessage] {
	p.s.t.Helper()
	ws, status := p.dial("/guest/lobby", p.s.http.URL)
	if ws == nil {
		p.s.t.Fatalf("lobby socket: %d", status)
	}
	if err := ws.WriteJSON(api.GuestHello{Session: p.bearer}); err != nil {
		p.s.t.Fatal(err)
	}
	return socket[api.GuestMessage]{p.s.t, ws}
}
