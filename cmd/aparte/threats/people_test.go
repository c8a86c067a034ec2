package threats

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"aparte/signaling/api"
	"aparte/signaling/link"
)

// person is a browser, or somebody with curl: cookies for an agent, a bearer token
// for a guest.
type person struct {
	p      *program
	t      testing.TB
	client *http.Client
	bearer string
	header http.Header // more of it
}

func (p *program) person() *person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	refuse := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &person{
		p: p, t: p.t, header: make(http.Header),
		client: &http.Client{Jar: jar, Timeout: patience, CheckRedirect: refuse, Transport: &http.Transport{MaxIdleConnsPerHost: 2}},
	}
}

// answer is what came back, whatever it was.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// code is the kind of a problem, "" for anything else.
func (a answer) code() string {
	var problem api.Problem
	if a.header.Get("Content-Type") != "application/problem+json" || json.Unmarshal(a.body, &problem) != nil {
		return ""
	}
	return strings.TrimPrefix(problem.Type, "urn:aparte:problem:")
}

// raw asks for a path of the whole server with a body as it is.
func (p *person) raw(method, path, body string) answer {
	p.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.p.url+path, reader)
	if err != nil {
		p.t.Fatal(err)
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
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, data}
}

// call asks the API.
func (p *person) call(method, path string, body any) answer {
	p.t.Helper()
	text := ""
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			p.t.Fatal(err)
		}
		text = string(data)
	}
	return p.raw(method, api.Prefix+path, text)
}

// do is a call that has to succeed.
func do[T any](p *person, method, path string, body any) T {
	p.t.Helper()
	got := p.call(method, path, body)
	var out T
	if got.status >= 300 {
		p.t.Fatalf("%s %s: %d %s", method, path, got.status, got.body)
	}
	if len(got.body) > 0 {
		if err := json.Unmarshal(got.body, &out); err != nil {
			p.t.Fatalf("%s %s: %s: %v", method, path, got.body, err)
		}
	}
	return out
}

// refused is a call that has to fail in this way.
func (p *person) refused(code, method, path string, body any) {
	p.t.Helper()
	if got := p.call(method, path, body); got.code() != code {
		p.t.Errorf("%s %s: %d %s, want the problem %q", method, path, got.status, got.body, code)
	}
}

const password = "correct horse battery staple"

// administrator makes the first account. It is signed in.
func (p *program) administrator() *person {
	a := p.person()
	do[api.SignedIn](a, "POST", "/setup", api.Setup{Code: p.setup, Name: "Anne Bernard", Email: "anne@aparte.example", Password: password})
	return a
}

// agent makes another account, and signs it in.
func (p *person) agent(called, email string) *person {
	p.t.Helper()
	invited := do[api.InvitedAccount](p, "POST", "/accounts", api.AccountDraft{Name: called, Email: email})
	_, code, _ := strings.Cut(invited.InviteURL, "#")
	a := p.p.person()
	do[api.SignedIn](a, "POST", "/session/one-time", api.OneTimeCode{Code: code})
	return a
}

// cookie is the agent's session cookie.
func (p *person) cookie() string {
	u, err := url.Parse(p.p.url)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, c := range p.client.Jar.Cookies(u) {
		return c.Value
	}
	return ""
}

func (p *person) meeting() api.Meeting {
	p.t.Helper()
	return do[api.Meeting](p, "POST", "/meetings", api.MeetingDraft{Title: "Coopération consulaire"})
}

// madeLink is a link, its secret and the code that guests derive from it.
type madeLink struct {
	api.Link
	secret, code string
}

// link makes one as a host's browser does; a draft without a kind is a shared one
// for two days.
func (p *person) link(meeting string, draft api.LinkDraft) madeLink {
	p.t.Helper()
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	code, err := link.Code(secret)
	if err != nil {
		p.t.Fatal(err)
	}
	sum := sha256.Sum256(code)
	draft.CodeHash = base64.RawURLEncoding.EncodeToString(sum[:])
	if draft.ExpiresAt.IsZero() {
		draft.ExpiresAt = time.Now().Add(48 * time.Hour)
	}
	if draft.Kind == "" {
		draft.Kind = "shared"
	}
	made := do[api.Link](p, "POST", "/meetings/"+meeting+"/links", draft)
	return madeLink{made, base64.RawURLEncoding.EncodeToString(secret), base64.RawURLEncoding.EncodeToString(code)}
}

// open is a guest's tab after it opened the link.
func (p *program) open(l madeLink) *person {
	g := p.person()
	g.bearer = do[api.Redeemed](g, "POST", "/guest/redeem", api.Redeem{LinkID: l.ID, Code: l.code}).Session
	return g
}

// waiting is a guest who has knocked, and the knock as the host sees it.
func (p *person) waiting(meeting string, l madeLink, called string) (*person, api.Knock) {
	p.t.Helper()
	g := p.p.open(l)
	do[api.GuestView](g, "POST", "/guest/knock", api.GuestName{Name: called})
	for _, k := range do[api.KnockList](p, "GET", "/meetings/"+meeting+"/knocks", nil).Knocks {
		if k.Name == called {
			return g, k
		}
	}
	p.t.Fatalf("the host does not see that %s knocks", called)
	return nil, api.Knock{}
}

func (p *person) decide(meeting string, k api.Knock, decision string) api.Knock {
	p.t.Helper()
	var body any
	if decision != "lift" {
		body = map[string]any{}
	}
	return do[api.Knock](p, "POST", "/meetings/"+meeting+"/knocks/"+k.ID+"/"+decision, body)
}

// admitted is a guest who was let in.
func (p *person) admitted(meeting string, l madeLink, called string) (*person, api.Knock) {
	p.t.Helper()
	g, k := p.waiting(meeting, l, called)
	return g, p.decide(meeting, k, "admit")
}

// dial opens a socket of the API from one of our pages, or another origin.
func (p *person) dial(path, origin string) (*websocket.Conn, answer) {
	p.t.Helper()
	header := make(http.Header)
	if origin != "" {
		header.Set("Origin", origin)
	}
	return p.socket(api.Prefix+path, header)
}

// socket asks for a WebSocket and says what was answered.
func (p *person) socket(path string, header http.Header) (*websocket.Conn, answer) {
	p.t.Helper()
	dialer := websocket.Dialer{Jar: p.client.Jar, HandshakeTimeout: patience}
	ws, res, err := dialer.DialContext(p.t.Context(), "ws"+strings.TrimPrefix(p.p.url, "http")+path, header)
	if res == nil {
		p.t.Fatalf("%s: %v", path, err)
	}
	defer res.Body.Close()
	got := answer{status: res.StatusCode, header: res.Header}
	if err != nil {
		got.body, _ = io.ReadAll(res.Body) // what there is of it
		return nil, got
	}
	p.t.Cleanup(func() { _ = ws.Close() })
	return ws, got
}

// hostSocket follows a meeting as its host.
func (p *person) hostSocket(meeting string) messages[api.HostMessage] {
	p.t.Helper()
	ws, got := p.dial("/meetings/"+meeting+"/host", p.p.url)
	if ws == nil {
		p.t.Fatalf("host socket: %d %s", got.status, got.body)
	}
	return messages[api.HostMessage]{p.t, ws}
}

// lobbySocket waits in the lobby.
func (p *person) lobbySocket() messages[api.GuestMessage] {
	p.t.Helper()
	ws, got := p.dial("/guest/lobby", p.p.url)
	if ws == nil {
		p.t.Fatalf("lobby socket: %d %s", got.status, got.body)
	}
	if err := ws.WriteJSON(api.GuestHello{Session: p.bearer}); err != nil {
		p.t.Fatal(err)
	}
	return messages[api.GuestMessage]{p.t, ws}
}

// messages are those of an open socket of the API.
type messages[T any] struct {
	t  testing.TB
	ws *websocket.Conn
}

func (m messages[T]) next() T {
	m.t.Helper()
	var v T
	if err := m.ws.SetReadDeadline(time.Now().Add(patience)); err != nil {
		m.t.Fatal(err)
	}
	if err := m.ws.ReadJSON(&v); err != nil {
		m.t.Fatal(err)
	}
	return v
}

// until reads up to a message that satisfies, and returns it and what came before.
func (m messages[T]) until(what string, satisfies func(T) bool) (T, []T) {
	m.t.Helper()
	var before []T
	for range 10_000 {
		v := m.next()
		if satisfies(v) {
			return v, before
		}
		before = append(before, v)
	}
	m.t.Fatalf("never: %s", what)
	panic("unreachable")
}

// closed reads up to the close frame and returns its code.
func closed(t testing.TB, ws *websocket.Conn) int {
	t.Helper()
	if err := ws.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for {
		if _, _, err := ws.ReadMessage(); err != nil {
			if e, ok := errors.AsType[*websocket.CloseError](err); ok {
				return e.Code
			}
			t.Fatalf("socket ended without a close frame: %v", err)
		}
	}
}

// holds says which of the secrets, by name, stand in data, as text or decoded.
func holds(data []byte, secrets map[string]string) (found []string) {
	for what, secret := range secrets {
		raw, err := base64.RawURLEncoding.DecodeString(secret)
		if bytes.Contains(data, []byte(secret)) || err == nil && len(raw) >= 16 && bytes.Contains(data, raw) {
			found = append(found, what)
		}
	}
	return found
}
