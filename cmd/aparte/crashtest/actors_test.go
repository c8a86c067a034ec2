package crashtest

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
	mathrand "math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/gorilla/websocket"

	"aparte/signaling/api"
	"aparte/signaling/link"
	"aparte/signaling/lobby"
	"aparte/signaling/meeting/meetingtest"
)

// tokenLife is how long a media token is tried again: somewhat less than it lives.
const tokenLife = 8 * time.Minute

// world is one server's data, whoever acts on it, and what they know.
type world struct {
	t      *testing.T
	data   string
	args   []string       // more of the program
	random *mathrand.Rand // of the test's own goroutine
	server *program
	hosts  []*http.Client // signed in, each by itself

	meeting string
	ended   bool
	history *meetingtest.History // of the server's present life

	unanswered atomic.Bool // a request of the present life got no answer

	mu     sync.Mutex // guards what follows
	links  []*guestLink
	guests []*guest
	born   int
	begun  int // requests of the present life
	killAt int
	found  []error
}

// guestLink is a link and what its guests send.
type guestLink struct {
	id, code string
	personal bool
	taken    bool // personal: somebody has opened it; guarded by world.mu
	first    meetingtest.State
}

// guest is a tab with a lobby session.
type guest struct {
	name, session string
	link          *guestLink
	browser       *meetingtest.Browser // nil: keeps no key
	binding       api.GuestBinding     // of the first tab
	first         meetingtest.State

	knocked bool         // guarded by world.mu: this was acknowledged
	tokens  []mediaToken // guarded by world.mu
}

type mediaToken struct {
	text, admission string
	issued          time.Time
}

func (w *world) bad(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.found = append(w.found, fmt.Errorf(format, args...))
}

// call sends one request. err is that there was no answer; a problem is one, and
// read for who asks for it.
func (w *world) call(client *http.Client, bearer, method, path string, body, into any) (status int, err error) {
	w.tick()
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		reader = bytes.NewReader(data)
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, w.server.lines["listening"]+api.Prefix+path, reader)
	if err != nil {
		return 0, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := client.Do(req)
	if err != nil {
		w.unanswered.Store(true)
		return 0, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		w.unanswered.Store(true)
		return 0, err
	}
	if _, problem := into.(*api.Problem); into != nil && problem == (res.StatusCode >= 400) {
		err = json.Unmarshal(data, into)
	}
	return res.StatusCode, err
}

// must is a request while nobody kills.
func (w *world) must(client *http.Client, bearer, method, path string, body, into any) {
	w.t.Helper()
	if status, err := w.call(client, bearer, method, path, body, into); err != nil || status >= 300 {
		w.t.Fatalf("%s %s: %d, %v\n%s", method, path, status, err, w.server.logs())
	}
}

// note ends a call with what came of it, and reports whether it was acknowledged.
func (w *world) note(c *meetingtest.Call, status int, err error, knock lobby.Status, identity string) bool {
	switch {
	case err != nil || status == http.StatusServiceUnavailable: // it may have happened
	case status < 300:
		c.Done(knock, identity)
		return true
	case status == http.StatusTooManyRequests:
		c.Limited()
	case status == http.StatusForbidden, status == http.StatusNotFound, status == http.StatusConflict, status == http.StatusGone:
		c.Refused()
	default:
		w.bad("unexpected answer %d", status)
	}
	return false
}

// browser is a client that keeps its cookies.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}
}

func (w *world) meetingPath(rest string) string { return "/meetings/" + w.meeting + rest }

// makeLink makes a link. One whose making was not acknowledged is nobody's.
func (w *world) makeLink(host *http.Client, kind link.Kind) {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	code, err := link.Code(secret)
	if err != nil {
		w.bad("%w", err)
		return
	}
	sum := sha256.Sum256(code)
	draft := api.LinkDraft{Kind: string(kind), ExpiresAt: time.Now().Add(time.Hour), CodeHash: base64.RawURLEncoding.EncodeToString(sum[:])}
	if kind == link.Personal {
		draft.GuestName = "Inês Duarte"
	}
	var made api.Link
	status, err := w.call(host, "", "POST", w.meetingPath("/links"), draft, &made)
	if err != nil || status >= 300 {
		return
	}
	l := &guestLink{id: made.ID, code: base64.RawURLEncoding.EncodeToString(code), personal: kind == link.Personal, first: meetingtest.State{Known: true}}
	w.history.Add(l.id, l.id, l.first)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.links = append(w.links, l)
}

func (w *world) someLink(random *mathrand.Rand) *guestLink {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.links[random.IntN(len(w.links))]
}

// actAsHost does one thing that a host does.
func (w *world) actAsHost(host *http.Client, random *mathrand.Rand) {
	switch n := random.IntN(200); {
	case n < 6:
		w.makeLink(host, []link.Kind{link.Shared, link.Personal}[random.IntN(2)])
		return
	case n < 12:
		l := w.someLink(random)
		c := w.history.Begin(meetingtest.Revoke, l.id, "")
		status, err := w.call(host, "", "POST", w.meetingPath("/links/"+l.id+"/revoke"), nil, nil)
		w.note(c, status, err, "", "")
		return
	case n < 13:
		c := w.history.Begin(meetingtest.End, "", "")
		status, err := w.call(host, "", "POST", w.meetingPath("/end"), nil, nil)
		w.note(c, status, err, "", "")
		return
	}
	var list api.KnockList
	status, err := w.call(host, "", "GET", w.meetingPath("/knocks"), nil, &list)
	if err != nil || status >= 300 || len(list.Knocks) == 0 {
		return
	}
	k := list.Knocks[random.IntN(len(list.Knocks))]
	likely := []lobby.Status{lobby.Waiting, lobby.Admitted, ""}[random.IntN(3)]
	if i := slices.IndexFunc(list.Knocks, func(other api.Knock) bool { return other.Status == string(likely) }); i >= 0 {
		k = list.Knocks[i]
	}
	w.decide(host, random, k)
}

// decide takes a decision that is likely in a knock's state, or sometimes any.
func (w *world) decide(host *http.Client, random *mathrand.Rand, k api.Knock) {
	type decision struct {
		act  meetingtest.Act
		verb string
		body any
	}
	admit := decision{meetingtest.Admit, "admit", map[string]any{}}
	deny := decision{meetingtest.Deny, "deny", map[string]any{}}
	lift := decision{meetingtest.Lift, "lift", nil}
	ban := decision{meetingtest.Ban, "ban", map[string]any{}}
	remove := decision{meetingtest.Remove, "remove", nil}
	back := decision{meetingtest.SendBack, "send-back", nil}
	likely := map[lobby.Status][]decision{
		lobby.Waiting: {admit, admit, admit, admit, admit, admit, deny, ban}, lobby.Admitted: {remove, ban, back, back}, lobby.Denied: {lift},
		lobby.Withdrawn: {admit}, lobby.Expired: {deny},
	}[lobby.Status(k.Status)]
	if random.IntN(10) == 0 {
		likely = []decision{admit, deny, lift, remove, ban, back}
	}
	d := likely[random.IntN(len(likely))]
	if d.act == meetingtest.Remove || d.act == meetingtest.SendBack {
		if k.Identity != "" {
			c := w.history.Begin(d.act, k.Name, k.Identity)
			status, err := w.call(host, "", "POST", w.meetingPath("/participants/"+k.Identity+"/"+d.verb), nil, nil)
			w.note(c, status, err, "", "")
		}
		return
	}
	c := w.history.Begin(d.act, k.Name, "")
	var after api.Knock
	status, err := w.call(host, "", "POST", w.meetingPath("/knocks/"+k.ID+"/"+d.verb), d.body, &after)
	w.note(c, status, err, lobby.Status(after.Status), after.Identity)
}

// actAsGuest opens a link, or has somebody who did do one thing.
func (w *world) actAsGuest(random *mathrand.Rand) {
	w.mu.Lock()
	var g *guest
	if len(w.guests) > 0 && (random.IntN(5) > 0 || len(w.guests) >= 30) {
		g = w.guests[random.IntN(len(w.guests))]
	}
	w.mu.Unlock()
	if g == nil {
		w.enter(random)
		return
	}
	switch random.IntN(10) {
	case 0:
		w.withdraw(g)
	case 1, 2, 3:
		w.claim(g)
		if random.IntN(2) == 0 { // as whoever has a token does
			w.join(g, random)
		}
	case 4, 5:
		w.join(g, random)
	case 6:
		w.knockInNewTab(g)
	default:
		w.knock(g, g.session, g.binding)
	}
}

func (w *world) enter(random *mathrand.Rand) {
	l := w.someLink(random)
	w.mu.Lock()
	if l.taken {
		w.mu.Unlock()
		return
	}
	l.taken = l.personal
	w.born++
	g := &guest{name: fmt.Sprintf("Guest %d", w.born), link: l, first: meetingtest.State{Revoked: l.first.Revoked}}
	w.mu.Unlock()
	if random.IntN(2) == 0 {
		var err error
		if g.browser, err = meetingtest.NewBrowser(); err != nil {
			w.bad("%w", err)
			return
		}
	}
	w.history.Add(g.name, l.id, g.first)
	c := w.history.Begin(meetingtest.Enter, g.name, "")
	var in api.Redeemed
	status, err := w.call(http.DefaultClient, "", "POST", "/guest/redeem", api.Redeem{LinkID: l.id, Code: l.code}, &in)
	if w.note(c, status, err, "", "") {
		g.session, g.binding = in.Session, in.Guest.Binding
		w.mu.Lock()
		w.guests = append(w.guests, g)
		w.mu.Unlock()
	}
}

func (w *world) withdraw(g *guest) {
	c := w.history.Begin(meetingtest.Withdraw, g.name, "")
	var view api.GuestView
	status, err := w.call(http.DefaultClient, g.session, "POST", "/guest/withdraw", nil, &view)
	w.note(c, status, err, statusOf(view), "")
}

func statusOf(view api.GuestView) lobby.Status {
	if view.Knock == nil {
		return ""
	}
	return lobby.Status(view.Knock.Status)
}

// knock asks to enter from a tab, whose browser proves its key if it has one.
func (w *world) knock(g *guest, session string, tab api.GuestBinding) {
	asking := api.GuestName{Name: g.name}
	if g.browser != nil {
		proof, err := g.browser.Sign(link.KnockStatement(g.link.id, tab.Session, tab.Challenge))
		if err != nil {
			w.bad("%w", err)
			return
		}
		asking.Proof = &api.KnockProof{PublicKey: proof.PublicKey, Signature: proof.Signature}
	}
	c := w.history.Begin(meetingtest.Knock, g.name, "")
	var view api.GuestView
	status, err := w.call(http.DefaultClient, session, "POST", "/guest/knock", asking, &view)
	if w.note(c, status, err, statusOf(view), "") {
		w.mu.Lock()
		g.knocked = true
		w.mu.Unlock()
	}
}

// knockInNewTab opens the shared link anew in a browser that has knocked by it:
// its key says that this is the same guest, who may not do more than before.
func (w *world) knockInNewTab(g *guest) {
	w.mu.Lock()
	knocked := g.knocked
	w.mu.Unlock()
	if !knocked || g.browser == nil || g.link.personal { // which opens for no tab that does not prove the key first
		return
	}
	var in api.Redeemed
	status, err := w.call(http.DefaultClient, "", "POST", "/guest/redeem", api.Redeem{LinkID: g.link.id, Code: g.link.code}, &in)
	if err == nil && status < 300 { // the link may not be what it was
		w.knock(g, in.Session, in.Guest.Binding)
	}
}

// claim asks for a media token, which is kept for later.
func (w *world) claim(g *guest) {
	c := w.history.Begin(meetingtest.Claim, g.name, "")
	var token api.MediaToken
	status, err := w.call(http.DefaultClient, g.session, "POST", "/guest/token", nil, &token)
	if err != nil || status >= 300 {
		w.note(c, status, err, "", "")
		return
	}
	var claims jwt.RegisteredClaims // read by who has no key to check it
	if _, _, err := jwt.NewParser().ParseUnverified(token.Token, &claims); err != nil {
		w.bad("media token of %s: %w", g.name, err)
	}
	c.Claimed(token.Identity, claims.ID)
	w.mu.Lock()
	g.tokens = append(g.tokens, mediaToken{token.Token, claims.ID, time.Now()})
	g.first.Admission = claims.ID
	w.mu.Unlock()
}

// join tries one of the tokens that the guest was ever given.
func (w *world) join(g *guest, random *mathrand.Rand) {
	w.mu.Lock()
	tokens := g.fresh()
	w.mu.Unlock()
	if len(tokens) > 0 {
		w.try(g, tokens[random.IntN(len(tokens))])
	}
}

// fresh are the tokens that have not expired by themselves.
func (g *guest) fresh() []mediaToken {
	var out []mediaToken
	for _, t := range g.tokens {
		if time.Since(t.issued) < tokenLife {
			out = append(out, t)
		}
	}
	return out
}

// try joins the call with a token and leaves again.
func (w *world) try(g *guest, token mediaToken) {
	c := w.history.Begin(meetingtest.Join, g.name, token.admission)
	status, err := w.dial(token.text)
	switch {
	case err == nil:
		c.Done("", "")
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		c.Refused()
	case status == http.StatusServiceUnavailable:
		c.Limited() // it joined too often
	case status != 0:
		w.bad("a join was answered with %d: %w", status, err)
	}
}

// dial opens the call and waits for the server's answer to the join.
func (w *world) dial(token string) (status int, err error) {
	w.tick()
	address := strings.Replace(w.server.lines["listening"], "http", "ws", 1) + "/rtc?protocol=16&access_token=" + url.QueryEscape(token)
	dialer := websocket.Dialer{HandshakeTimeout: patience}
	ws, res, err := dialer.DialContext(w.t.Context(), address, nil)
	if res != nil {
		status = res.StatusCode
		_ = res.Body.Close()
	}
	if err != nil {
		return status, err
	}
	defer ws.Close()
	if err := ws.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	_, message, err := ws.ReadMessage()
	if err == nil && len(message) == 0 {
		err = errors.New("empty answer")
	}
	return 0, err // a connection that ends without an answer says nothing
}
