package threats

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"testing"

	"aparte/signaling/api"
	"aparte/signaling/link"
	"aparte/signaling/meeting/meetingtest"
)

// browser keeps a key for a link, as a guest's browser does.
type browser struct {
	p       *program
	address string // it comes from
	link    madeLink
	*meetingtest.Browser
}

func (p *program) browser(address string, l madeLink) browser {
	p.t.Helper()
	b, err := meetingtest.NewBrowser()
	if err != nil {
		p.t.Fatal(err)
	}
	return browser{p, address, l, b}
}

func (b browser) sign(statement string) link.Proof {
	b.p.t.Helper()
	proof, err := b.Sign(statement)
	if err != nil {
		b.p.t.Fatal(err)
	}
	return proof
}

// opens opens the link in a new tab, as a browser that says nothing of its key.
func (b browser) opens() *person {
	b.p.t.Helper()
	tab := b.p.from(b.address)
	tab.bearer = do[api.Redeemed](tab, "POST", "/guest/redeem", api.Redeem{LinkID: b.link.ID, Code: b.link.code}).Session
	return tab
}

// returnProof is what the browser comes back with.
func (b browser) returnProof() *api.ReturnProof {
	b.p.t.Helper()
	c := do[api.Challenge](b.p.from(b.address), "POST", "/guest/challenge", api.ChallengeAsked{LinkID: b.link.ID, Code: b.link.code}).Challenge
	proof := b.sign(link.ReturnStatement(b.link.ID, c))
	return &api.ReturnProof{Challenge: c, PublicKey: proof.PublicKey, Signature: proof.Signature}
}

// returns opens the link in a new tab with a proof of the key.
func (b browser) returns() *person {
	b.p.t.Helper()
	tab := b.p.from(b.address)
	tab.bearer = do[api.Redeemed](tab, "POST", "/guest/redeem", api.Redeem{LinkID: b.link.ID, Code: b.link.code, Proof: b.returnProof()}).Session
	return tab
}

// knocks asks to enter from a tab, with the digits of a PIN or without.
func (b browser) knocks(tab *person, called, digits string) answer {
	b.p.t.Helper()
	v := do[api.GuestView](tab, "GET", "/guest", nil).Binding
	proof := b.sign(link.KnockStatement(b.link.ID, v.Session, v.Challenge))
	return tab.call("POST", "/guest/knock", api.GuestName{
		Name: called, PIN: b.link.pin(b.p.t, digits), Proof: &api.KnockProof{PublicKey: proof.PublicKey, Signature: proof.Signature},
	})
}

// pin is the proof of a PIN that a guest sends; none for no digits.
func (l madeLink) pin(t testing.TB, digits string) string {
	t.Helper()
	if digits == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(l.pinProof(t, digits))
}

func (l madeLink) pinHash(t testing.TB, digits string) string {
	t.Helper()
	sum := sha256.Sum256(l.pinProof(t, digits))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (l madeLink) pinProof(t testing.TB, digits string) []byte {
	t.Helper()
	secret, err := base64.RawURLEncoding.DecodeString(l.secret)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := link.PINProof(secret, digits)
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

// setPIN gives a link a PIN.
func (p *person) setPIN(meeting string, l madeLink, digits string) {
	p.t.Helper()
	do[api.Link](p, "PUT", "/meetings/"+meeting+"/links/"+l.ID+"/pin", api.LinkPIN{PINHash: l.pinHash(p.t, digits)})
}

// Zoom 2020: short codes without limits. Tries are limited for a link and a source, on every
// way in, and nobody can lock out the host, nor who has passed.
func TestShortCodesAreLimitedOnEveryWayInAndLockOutNoHost(t *testing.T) {
	t.Parallel()
	const right, wrong, office = "482915", "000000", "127.0.6.1"
	p := start(t)
	host := p.administrator()
	m := host.meeting()
	l, other := host.link(m.ID, api.LinkDraft{}), host.link(m.ID, api.LinkDraft{})
	host.setPIN(m.ID, l, right)
	host.setPIN(m.ID, other, right)
	do[api.MediaToken](host, "POST", "/meetings/"+m.ID+"/join", nil) // the meeting is open

	// From the same office, somebody who knew it.
	rightful := p.browser(office, l)
	passed := rightful.opens()
	if got := rightful.knocks(passed, "Inês Duarte", right); got.status != http.StatusOK {
		t.Fatalf("the right PIN: %d %s", got.status, got.body)
	}

	// Every way in costs a try of the same five.
	guesser := p.browser(office, l)
	plain := func() *person { return guesser.opens() }
	knock := func(tab *person, digits string) answer {
		return tab.call("POST", "/guest/knock", api.GuestName{Name: "Guesser", PIN: l.pin(t, digits)})
	}
	first, keyed := plain(), guesser.opens()
	tabs := []*person{first, keyed}
	ways := []struct {
		name string
		try  func(digits string) answer
	}{
		{"the first tab", func(digits string) answer { return knock(first, digits) }},
		{"the same tab, with a key now", func(digits string) answer { return guesser.knocks(first, "Guesser", digits) }},
		{"a new session", func(digits string) answer {
			tabs = append(tabs, plain())
			return knock(tabs[len(tabs)-1], digits)
		}},
		{"another tab of the browser", func(digits string) answer { return guesser.knocks(keyed, "Guesser", digits) }},
		{"the link again, with the browser's key", func(digits string) answer {
			tabs = append(tabs, guesser.returns())
			return guesser.knocks(tabs[len(tabs)-1], "Guesser", digits)
		}},
	}
	for i, way := range ways {
		got := way.try(wrong)
		var problem api.Problem
		if err := json.Unmarshal(got.body, &problem); err != nil || got.status != http.StatusForbidden || got.code() != "pin-wrong" || problem.TriesLeft == nil || *problem.TriesLeft != len(ways)-1-i {
			t.Errorf("a wrong PIN by %s: %d %s, want %d tries left", way.name, got.status, got.body, len(ways)-1-i)
		}
	}
	// The last one began a pause: whatever is tried meanwhile is not looked at.
	paused := func(what string, got answer) {
		t.Helper()
		wait, err := strconv.Atoi(got.header.Get("Retry-After"))
		if got.status != http.StatusTooManyRequests || got.code() != "too-many" || err != nil || wait < 1 || wait > 30 {
			t.Errorf("%s: %d, Retry-After %q, %s, want a pause", what, got.status, got.header.Get("Retry-After"), got.body)
		}
	}
	for _, way := range ways {
		paused("a wrong PIN by "+way.name, way.try(wrong))
		paused("the right PIN by "+way.name, way.try(right))
	}
	forged := plain()
	tabs = append(tabs, forged)
	forged.header = http.Header{"X-Forwarded-For": {"192.0.2.1"}, "Forwarded": {"for=192.0.2.1"}, "X-Real-Ip": {"192.0.2.1"}}
	paused("the right PIN and a forged source", knock(forged, right))
	for i, tab := range tabs {
		tab.refused("conflict", "POST", "/guest/token", nil)
		if v := do[api.GuestView](tab, "GET", "/guest", nil); v.Status != "entry" || v.Knock != nil || !v.Link.PIN {
			t.Errorf("tab %d is told %+v", i, v)
		}
	}
	for _, k := range do[api.KnockList](host, "GET", "/meetings/"+m.ID+"/knocks", nil).Knocks {
		if k.Name == "Guesser" {
			t.Errorf("the hosts are rung: %+v", k)
		}
	}

	// It is this link's and this source's pause alone.
	elsewhere := p.browser("127.0.6.2", l)
	if got := elsewhere.knocks(elsewhere.opens(), "Luc Martin", right); got.status != http.StatusOK {
		t.Errorf("another source: %d %s", got.status, got.body)
	}
	another := p.browser(office, other)
	if got := another.knocks(another.opens(), "Maria Oliveira", right); got.status != http.StatusOK {
		t.Errorf("another link: %d %s", got.status, got.body)
	}
	// Who has passed is not asked again, in whatever tab, and may leave and come back.
	for what, tab := range map[string]*person{"the tab": passed, "a new tab": rightful.opens(), "the link again": rightful.returns()} {
		if got := rightful.knocks(tab, "Inês Duarte", ""); got.status != http.StatusOK {
			t.Errorf("%s of who has passed: %d %s", what, got.status, got.body)
		}
	}
	do[api.GuestView](passed, "POST", "/guest/withdraw", nil)
	if got := rightful.knocks(passed, "Inês Duarte", ""); got.status != http.StatusOK {
		t.Errorf("who has passed, knocking again: %d %s", got.status, got.body)
	}
	// Nor is a host held up, in the same office: in nothing, the link itself included.
	there := p.from(office)
	there.client.Jar = host.client.Jar
	do[api.MediaToken](there, "POST", "/meetings/"+m.ID+"/join", nil)
	knocks := do[api.KnockList](there, "GET", "/meetings/"+m.ID+"/knocks", nil).Knocks
	i := slices.IndexFunc(knocks, func(k api.Knock) bool { return k.Name == "Inês Duarte" })
	if i < 0 {
		t.Fatalf("the host does not see who has passed: %+v", knocks)
	}
	there.decide(m.ID, knocks[i], "admit")
	do[api.MediaToken](passed, "POST", "/guest/token", nil)
	do[api.SignedIn](p.from(office), "POST", "/session", api.Credentials{Email: "anne@aparte.example", Password: password})
	there.setPIN(m.ID, l, "735028")
	paused("the new PIN", knock(first, "735028")) // a change gives nobody new tries
	do[api.Link](there, "PUT", "/meetings/"+m.ID+"/links/"+l.ID+"/pin", api.LinkPIN{})
	if got := knock(first, ""); got.status != http.StatusOK {
		t.Errorf("without a PIN, the guest of the office: %d %s", got.status, got.body)
	}
}
