package api_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"aparte/signaling/api"
	"aparte/signaling/link"
)

var b64 = base64.RawURLEncoding

// browser is a guest's browser that keeps a key for a link.
type browser struct {
	s   *server
	key *ecdsa.PrivateKey
}

func (s *server) browser() browser {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	return browser{s, key}
}

func (b browser) public() string {
	b.s.t.Helper()
	raw, err := b.key.PublicKey.Bytes()
	if err != nil {
		b.s.t.Fatal(err)
	}
	return b64.EncodeToString(raw)
}

// sign signs as WebCrypto does.
func (b browser) sign(statement string) string {
	b.s.t.Helper()
	sum := sha256.Sum256([]byte(statement + "\n" + b.public()))
	r, s, err := ecdsa.Sign(rand.Reader, b.key, sum[:])
	if err != nil {
		b.s.t.Fatal(err)
	}
	raw := make([]byte, 64)
	r.FillBytes(raw[:32])
	s.FillBytes(raw[32:])
	return b64.EncodeToString(raw)
}

func (b browser) knockProof(linkID string, v api.GuestView) *api.KnockProof {
	return &api.KnockProof{PublicKey: b.public(), Signature: b.sign(link.KnockStatement(linkID, v.Binding.Session, v.Binding.Challenge))}
}

func (b browser) returnProof(l madeLink) *api.ReturnProof {
	c := do[api.Challenge](b.s.person(), http.StatusOK, "POST", "/guest/challenge", api.ChallengeAsked{LinkID: l.ID, Code: l.code}).Challenge
	return &api.ReturnProof{Challenge: c, PublicKey: b.public(), Signature: b.sign(link.ReturnStatement(l.ID, c))}
}

// opens opens a link in a new tab of the browser, which has not knocked by it.
func (b browser) opens(l madeLink) (*person, api.GuestView) {
	b.s.t.Helper()
	p := b.s.person()
	got := do[api.Redeemed](p, http.StatusOK, "POST", "/guest/redeem", api.Redeem{LinkID: l.ID, Code: l.code})
	p.bearer = got.Session
	return p, got.Guest
}

// returns opens a link in a new tab of the browser and proves its key.
func (b browser) returns(l madeLink) (*person, api.GuestView) {
	b.s.t.Helper()
	p := b.s.person()
	got := do[api.Redeemed](p, http.StatusOK, "POST", "/guest/redeem", api.Redeem{LinkID: l.ID, Code: l.code, Proof: b.returnProof(l)})
	p.bearer = got.Session
	return p, got.Guest
}

func (b browser) knocks(p *person, l madeLink, v api.GuestView, called string) api.GuestView {
	b.s.t.Helper()
	return do[api.GuestView](p, http.StatusOK, "POST", "/guest/knock", api.GuestName{Name: called, Proof: b.knockProof(l.ID, v)})
}

func redeemOf(l madeLink) api.Redeem { return api.Redeem{LinkID: l.ID, Code: l.code} }

func TestABoundGuestComesBackAndNobodyElseDoes(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{Kind: "personal", GuestName: "Inês", Language: "PT-br"})
	theirs := s.browser()
	tab, v := theirs.opens(l)
	idle, idleView := theirs.opens(l) // a second tab, from before the knock
	stranger, strangerView := s.browser().opens(l)
	if v.Binding.Bound || v.Link.Language != "pt-BR" {
		t.Errorf("before the knock %+v", v)
	}
	if v := theirs.knocks(tab, l, v, "Inês"); !v.Binding.Bound || v.Status != "waiting" {
		t.Fatalf("after the knock %+v", v)
	}
	k := host.knocks(m.ID)[0]
	if !k.Bound || k.PINPassed || k.Link.PIN {
		t.Errorf("the host sees %+v", k)
	}

	// Another browser, with the right secret: told so, and disturbs nobody.
	other := s.browser()
	if p := stranger.refused("link-in-use", http.StatusConflict, "POST", "/guest/knock", api.GuestName{Name: "Eve", Proof: other.knockProof(l.ID, strangerView)}); p.Host != "" {
		t.Errorf("problem %+v", p)
	}
	stranger.refused("link-in-use", http.StatusConflict, "POST", "/guest/knock", api.GuestName{Name: "Eve"})
	if p := s.person().refused("link-in-use", http.StatusConflict, "POST", "/guest/redeem", redeemOf(l)); p.Host != "Anne Bernard" {
		t.Errorf("in use names %q", p.Host)
	}
	withKey := redeemOf(l)
	withKey.Proof = other.returnProof(l)
	s.person().refused("link-in-use", http.StatusConflict, "POST", "/guest/redeem", withKey)

	// The same browser: from the other tab by knocking, from a new one by its key.
	if v := theirs.knocks(idle, l, idleView, "Somebody else"); v.Status != "waiting" || v.Knock.Name != "Inês" {
		t.Errorf("the second tab became %+v", v)
	}
	reopened, v := theirs.returns(l)
	if v.Status != "waiting" || v.Knock.Name != "Inês" || !v.Knock.Since.Equal(k.Since) {
		t.Errorf("reopened as %+v", v)
	}
	host.decide(m.ID, k.ID, "admit")
	s.restart()
	for what, p := range map[string]*person{"first tab": tab, "second tab": idle, "reopened tab": reopened} {
		if media := do[api.MediaToken](p, http.StatusOK, "POST", "/guest/token", nil); media.Identity != host.knocks(m.ID)[0].Identity {
			t.Errorf("%s is another participant", what)
		}
	}
	if got := host.knocks(m.ID); len(got) != 1 || got[0].ID != k.ID {
		t.Errorf("knocks %+v, want the one", got)
	}
	if got := do[api.LinkList](host, http.StatusOK, "GET", "/meetings/"+m.ID+"/links", nil).Links[0]; got.Binding != "browser" || got.Uses != 1 || got.OpenedAt == nil {
		t.Errorf("link %+v", got)
	}
	s.clock.add(30 * time.Hour) // the session of the tabs has expired, the link has not
	tab.refused("unauthenticated", http.StatusUnauthorized, "GET", "/guest", nil)
	if _, v := theirs.returns(l); v.Status != "admitted" {
		t.Errorf("the next day the guest is %s", v.Status)
	}
	s.clock.add(24 * time.Hour) // the end closes the way in, and takes nobody out
	if _, v := theirs.returns(l); v.Status != "admitted" {
		t.Errorf("after the link's end the guest is %s", v.Status)
	}
}

func TestWithoutAKeyOnlyTheTabIsRecognised(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{Kind: "personal", GuestName: "Inês"})
	tab := s.guest(l)
	if v := tab.knock("Inês"); v.Binding.Bound || v.Status != "waiting" {
		t.Errorf("without a key %+v", v)
	}
	if k := host.knocks(m.ID)[0]; k.Bound {
		t.Errorf("the host sees %+v", k)
	}
	if got := do[api.LinkList](host, http.StatusOK, "GET", "/meetings/"+m.ID+"/links", nil).Links[0]; got.Binding != "tab" {
		t.Errorf("link %+v", got)
	}
	s.person().refused("link-in-use", http.StatusConflict, "POST", "/guest/redeem", redeemOf(l))
	late := redeemOf(l)
	late.Proof = s.browser().returnProof(l)
	s.person().refused("link-in-use", http.StatusConflict, "POST", "/guest/redeem", late)
}

// A proof made for one link, session or moment is worth nothing for another.
func TestProofsAreForOneThingOnce(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	l, other := host.link(m.ID, api.LinkDraft{}), host.link(m.ID, api.LinkDraft{})
	b, thief := s.browser(), s.browser()
	tab, v := b.opens(l)
	good := b.knockProof(l.ID, v)
	b.knocks(tab, l, v, "Inês")

	second, v2 := thief.opens(l)
	elsewhere, v3 := thief.opens(other)
	right := thief.knockProof(l.ID, v2)
	flipped := []byte(right.Signature)
	flipped[10] ^= 1
	for what, c := range map[string]struct {
		p     *person
		proof *api.KnockProof
	}{
		"replayed in another session":          {second, good},
		"replayed at another link":             {elsewhere, good},
		"made for another link":                {elsewhere, thief.knockProof(l.ID, v3)},
		"made for another session":             {second, thief.knockProof(l.ID, v)},
		"another's key":                        {second, &api.KnockProof{PublicKey: b.public(), Signature: right.Signature}},
		"made for coming back":                 {second, &api.KnockProof{PublicKey: thief.public(), Signature: thief.sign(link.ReturnStatement(l.ID, v2.Binding.Challenge))}},
		"a bit changed":                        {second, &api.KnockProof{PublicKey: thief.public(), Signature: string(flipped)}},
		"zeros":                                {second, &api.KnockProof{PublicKey: thief.public(), Signature: strings.Repeat("A", 86)}},
		"a key that is no point of the curve":  {second, &api.KnockProof{PublicKey: "B" + strings.Repeat("A", 86), Signature: right.Signature}},
		"a key that is not base64url":          {second, &api.KnockProof{PublicKey: strings.Repeat("+", 87), Signature: right.Signature}},
		"a signature of another thing at hand": {second, &api.KnockProof{PublicKey: thief.public(), Signature: thief.returnProof(l).Signature}},
	} {
		c.p.refused("proof-invalid", http.StatusForbidden, "POST", "/guest/knock", api.GuestName{Name: what, Proof: c.proof})
	}

	proof := b.returnProof(l)
	in := func(proof api.ReturnProof) api.Redeem {
		r := redeemOf(l)
		r.Proof = &proof
		return r
	}
	do[api.Redeemed](s.person(), http.StatusOK, "POST", "/guest/redeem", in(*proof))
	old := b.returnProof(l)
	fresh := thief.returnProof(l)
	for what, proof := range map[string]api.ReturnProof{
		"used before":            *proof,
		"another's signature":    {Challenge: fresh.Challenge, PublicKey: b.public(), Signature: fresh.Signature},
		"of another link":        {Challenge: b.returnProof(other).Challenge, PublicKey: b.public(), Signature: b.sign(link.ReturnStatement(l.ID, "x"))},
		"a challenge of another": {Challenge: "AAAA", PublicKey: b.public(), Signature: b.sign(link.ReturnStatement(l.ID, "AAAA"))},
		"signed for a knock":     {Challenge: fresh.Challenge, PublicKey: b.public(), Signature: b.sign(link.KnockStatement(l.ID, v.Binding.Session, fresh.Challenge))},
	} {
		t.Log(what)
		s.person().refused("proof-invalid", http.StatusForbidden, "POST", "/guest/redeem", in(proof))
	}
	elsewhereChallenge := b.returnProof(other).Challenge
	s.person().refused("proof-invalid", http.StatusForbidden, "POST", "/guest/redeem",
		in(api.ReturnProof{Challenge: elsewhereChallenge, PublicKey: b.public(), Signature: b.sign(link.ReturnStatement(l.ID, elsewhereChallenge))}))
	s.clock.add(3 * time.Minute)
	s.person().refused("proof-invalid", http.StatusForbidden, "POST", "/guest/redeem", in(*old))
	for _, c := range []string{"", "x", l.code[:42]} {
		s.person().refused("link-unknown", http.StatusNotFound, "POST", "/guest/challenge", api.ChallengeAsked{LinkID: l.ID, Code: c})
	}
	if got := host.knocks(m.ID); len(got) != 1 {
		t.Errorf("%d knocks, want the honest one", len(got))
	}
}

func TestADenialHoldsForTheBrowser(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	for _, ending := range []string{"denied", "removed"} {
		t.Run(ending, func(t *testing.T) {
			b := s.browser()
			tab, v := b.opens(l)
			b.knocks(tab, l, v, "Karim "+ending)
			k := host.waiting(m.ID)
			if ending == "denied" {
				host.decide(m.ID, k.ID, "deny")
			} else {
				identity := host.decide(m.ID, k.ID, "admit").Identity
				do[struct{}](host, http.StatusNoContent, "POST", "/meetings/"+m.ID+"/participants/"+identity+"/remove", nil)
			}
			// A tab that keeps quiet about its key at the door needs it to knock.
			fresh, v := b.opens(l)
			fresh.refused("denied", http.StatusForbidden, "POST", "/guest/knock", api.GuestName{Name: "Another", Proof: b.knockProof(l.ID, v)})
			back, v := b.returns(l)
			if v.Status != ending {
				t.Errorf("back as %s", v.Status)
			}
			back.refused("denied", http.StatusForbidden, "POST", "/guest/knock", api.GuestName{Name: "Another"})
			host.decide(m.ID, k.ID, "lift")
			if v := b.knocks(fresh, l, lookOf(fresh), "Karim "+ending); v.Status != "waiting" {
				t.Errorf("after the lift %s", v.Status)
			}
			host.decide(m.ID, host.waiting(m.ID).ID, "deny")
		})
	}
	if v := s.guest(l).knock("Somebody"); v.Status != "waiting" {
		t.Error("another browser is refused too")
	}
}

func lookOf(p *person) api.GuestView {
	p.s.t.Helper()
	return do[api.GuestView](p, http.StatusOK, "GET", "/guest", nil)
}

func (l madeLink) pin(t *testing.T, digits string) string {
	t.Helper()
	proof, err := link.PINProof(l.secret, digits)
	if err != nil {
		t.Fatal(err)
	}
	return b64.EncodeToString(proof)
}

func (l madeLink) pinHash(t *testing.T, digits string) string {
	t.Helper()
	proof, err := link.PINProof(l.secret, digits)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(proof)
	return b64.EncodeToString(sum[:])
}

// sourced is a server where a header says where a request comes from.
func sourced(t *testing.T) *server {
	t.Helper()
	s := newServer(t)
	s.source = func(r *http.Request) string { return r.Header.Get("Test-Source") }
	s.restart()
	return s
}

func (p *person) from(source string) *person {
	p.header.Set("Test-Source", source)
	return p
}

func TestPINsCannotBeGuessed(t *testing.T) {
	s := sourced(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	path := "/meetings/" + m.ID + "/links/" + l.ID + "/pin"
	if got := do[api.Link](host, http.StatusOK, "PUT", path, api.LinkPIN{PINHash: l.pinHash(t, "482915")}); !got.PIN {
		t.Fatalf("link %+v", got)
	}
	knock := func(pin string) api.GuestName { return api.GuestName{Name: "Luc", PIN: pin} }
	guest := s.guest(l).from("198.51.100.1")
	if v := lookOf(guest); !v.Link.PIN {
		t.Errorf("the guest is not told of the PIN: %+v", v.Link)
	}
	guest.refused("pin-required", http.StatusForbidden, "POST", "/guest/knock", knock(""))
	guest.refused("invalid", http.StatusUnprocessableEntity, "POST", "/guest/knock", api.GuestName{Name: "\u200b", PIN: l.pin(t, "000000")}) // costs no try
	for _, left := range []int{4, 3, 2, 1, 0} {
		if p := guest.refused("pin-wrong", http.StatusForbidden, "POST", "/guest/knock", knock(l.pin(t, "000000"))); p.TriesLeft == nil || *p.TriesLeft != left {
			t.Fatalf("tries left %v, want %d", p.TriesLeft, left)
		}
	}
	pause := func(want string) {
		t.Helper()
		status, header, body := guest.raw("POST", "/guest/knock", fmt.Sprintf(`{"name":"Luc","pin":%q}`, l.pin(t, "482915")))
		if status != http.StatusTooManyRequests || header.Get("Retry-After") != want {
			t.Errorf("in a pause: %d, Retry-After %q, %s; want %s", status, header.Get("Retry-After"), body, want)
		}
	}
	pause("30")
	s.guest(l).from("198.51.100.1").refused("too-many", http.StatusTooManyRequests, "POST", "/guest/knock", knock(l.pin(t, "482915"))) // a new tab gains nothing
	s.clock.add(30 * time.Second)
	guest.refused("pin-wrong", http.StatusForbidden, "POST", "/guest/knock", knock(l.pin(t, "000001")))
	pause("60")

	// Neither the host, nor the right holder elsewhere, nor who has passed is held up.
	holder := s.guest(l).from("203.0.113.7")
	if v := do[api.GuestView](holder, http.StatusOK, "POST", "/guest/knock", knock(l.pin(t, "482915"))); v.Status != "waiting" || v.Link.PIN {
		t.Errorf("the right PIN: %+v", v)
	}
	k := host.from("198.51.100.1").knocks(m.ID)[0]
	if !k.PINPassed || !k.Link.PIN {
		t.Errorf("the host sees %+v", k)
	}
	do[api.GuestView](holder, http.StatusOK, "POST", "/guest/withdraw", nil)
	if v := do[api.GuestView](holder.from("198.51.100.1"), http.StatusOK, "POST", "/guest/knock", knock("")); v.Status != "waiting" {
		t.Errorf("asked again for a PIN that was passed: %s", v.Status)
	}

	// From ever new sources: slowed for all, stopped for nobody.
	guesses := 0
	for i := range 400 {
		status, header, _ := guest.from(fmt.Sprintf("10.0.%d.%d", i/250, i%250)).raw("POST", "/guest/knock", fmt.Sprintf(`{"name":"Luc","pin":%q}`, l.pin(t, fmt.Sprintf("%06d", i))))
		if status == http.StatusTooManyRequests {
			if wait := header.Get("Retry-After"); wait != "10" { // half of the 20 s have passed
				t.Errorf("Retry-After %q", wait)
			}
			break
		}
		guesses++
	}
	if guesses < 100 || guesses > 200 {
		t.Errorf("%d guesses from as many sources before the first pause", guesses)
	}
	s.clock.add(20 * time.Second)
	late := s.guest(l).from("203.0.113.8")
	if v := do[api.GuestView](late, http.StatusOK, "POST", "/guest/knock", knock(l.pin(t, "482915"))); v.Status != "waiting" {
		t.Errorf("after the pause the right PIN: %s", v.Status)
	}
	do[api.Link](host, http.StatusOK, "PUT", path, api.LinkPIN{})
	if v := s.guest(l).from("10.9.9.9").knock("Sans code"); v.Status != "waiting" {
		t.Errorf("without a PIN: %s", v.Status)
	}
}

func TestALinkIsIssuedAnew(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{Kind: "personal", GuestName: "Inês", Label: "MNE"})
	path := "/meetings/" + m.ID + "/links/" + l.ID + "/reissue"
	do[api.Link](host, http.StatusOK, "PUT", "/meetings/"+m.ID+"/links/"+l.ID+"/pin", api.LinkPIN{PINHash: l.pinHash(t, "111111")})
	b := s.browser()
	tab, v := b.opens(l)
	do[api.GuestView](tab, http.StatusOK, "POST", "/guest/knock", api.GuestName{Name: "Inês", PIN: l.pin(t, "111111"), Proof: b.knockProof(l.ID, v)})
	identity := host.decide(m.ID, host.waiting(m.ID).ID, "admit").Identity
	lobby := tab.lobbySocket()
	lobby.until("admitted", func(m api.GuestMessage) bool { return m.Guest.Status == "admitted" })

	next := l
	next.secret = make([]byte, 32)
	_, _ = rand.Read(next.secret)
	code, err := link.Code(next.secret)
	if err != nil {
		t.Fatal(err)
	}
	next.code = b64.EncodeToString(code)
	sum := sha256.Sum256(code)
	again := api.Reissue{CodeHash: b64.EncodeToString(sum[:])}
	if p := host.refused("invalid", http.StatusUnprocessableEntity, "POST", path, again); p.Errors[0].Location != "body.pin_hash" {
		t.Errorf("a PIN is lost without a word: %+v", p.Errors)
	}
	again.PINHash = next.pinHash(t, "222222")
	got := do[api.Link](host, http.StatusOK, "POST", path, again)
	if !s.call.wasRemoved(identity) {
		t.Error("answered before whoever was in had left")
	}
	if got.Binding != "none" || got.Uses != 0 || got.OpenedAt != nil || got.IssuedAt == nil || got.GuestName != "Inês" || got.Label != "MNE" || !got.PIN {
		t.Errorf("issued anew as %+v", got)
	}
	if p := host.refused("invalid", http.StatusUnprocessableEntity, "POST", path, again); p.Errors[0].Location != "body.code_hash" {
		t.Errorf("the same secret again: %+v", p.Errors)
	}
	// Of the old one nothing is left.
	lobby.until("revoked", func(m api.GuestMessage) bool { return m.Guest.Status == "revoked" })
	tab.refused("link-revoked", http.StatusGone, "POST", "/guest/knock", api.GuestName{Name: "Inês"})
	tab.refused("link-revoked", http.StatusGone, "POST", "/guest/token", nil)
	s.person().refused("link-unknown", http.StatusNotFound, "POST", "/guest/redeem", redeemOf(l))

	// The new one is for whoever comes first, as the old one was.
	s.clock.add(time.Second)
	moved := s.browser()
	second, v := moved.opens(next)
	second.refused("pin-wrong", http.StatusForbidden, "POST", "/guest/knock", api.GuestName{Name: "Inês", PIN: next.pin(t, "111111"), Proof: moved.knockProof(l.ID, v)})
	do[api.GuestView](second, http.StatusOK, "POST", "/guest/knock", api.GuestName{Name: "Inês", PIN: next.pin(t, "222222"), Proof: moved.knockProof(l.ID, v)})
	s.restart()
	handedOn := redeemOf(next)
	handedOn.Proof = b.returnProof(next) // even by the browser of before
	s.person().refused("link-in-use", http.StatusConflict, "POST", "/guest/redeem", handedOn)

	uses := do[api.LinkUses](host, http.StatusOK, "GET", "/meetings/"+m.ID+"/links/"+l.ID+"/uses", nil).Uses
	if len(uses) != 2 || uses[0].Reissued || uses[0].Status != "waiting" || !uses[1].Reissued || uses[1].Status != "expired" || uses[1].DecidedBy != "Anne Bernard" ||
		!uses[1].Bound || !uses[1].PINPassed || uses[1].Name != "Inês" || uses[0].Session == uses[1].Session {
		t.Errorf("uses %+v", uses)
	}
}

func TestRevokingAllLinksRemovesWhoeverIsIn(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	var inside []string
	var tabs []*person
	for i := range 3 {
		tab := s.guest(host.link(m.ID, api.LinkDraft{}))
		tab.knock(fmt.Sprint("Guest ", i))
		if i < 2 {
			inside = append(inside, host.decide(m.ID, host.waiting(m.ID).ID, "admit").Identity)
		}
		tabs = append(tabs, tab)
	}
	s.agent("other@aparte.example").refused("not-found", http.StatusNotFound, "POST", "/meetings/"+m.ID+"/links/revoke-all", nil)
	all := do[api.LinkList](host, http.StatusOK, "POST", "/meetings/"+m.ID+"/links/revoke-all", nil).Links
	for _, identity := range inside {
		if !s.call.wasRemoved(identity) {
			t.Errorf("%s is still in the call", identity)
		}
	}
	for _, l := range all {
		if l.RevokedAt == nil {
			t.Errorf("link %s lives on", l.ID)
		}
	}
	for _, tab := range tabs {
		if v := lookOf(tab); len(all) != 3 || v.Status != "revoked" {
			t.Errorf("a guest is %s", v.Status)
		}
		tab.refused("link-revoked", http.StatusGone, "POST", "/guest/token", nil)
	}
}

func TestTheEndOfALinkCanBeMoved(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	now := s.clock.Now()
	l := host.link(m.ID, api.LinkDraft{ExpiresAt: now.Add(time.Hour)})
	path := "/meetings/" + m.ID + "/links/" + l.ID + "/extend"
	for what, end := range map[string]time.Time{"past": now, "too far": now.Add(91 * 24 * time.Hour)} {
		if p := host.refused("invalid", http.StatusUnprocessableEntity, "POST", path, api.Extend{ExpiresAt: end}); p.Errors[0].Location != "body.expires_at" {
			t.Errorf("%s: %+v", what, p.Errors)
		}
	}
	guest := s.guest(l)
	guest.knock("Luc")
	host.decide(m.ID, host.waiting(m.ID).ID, "admit")
	do[api.Link](host, http.StatusOK, "POST", path, api.Extend{ExpiresAt: now.Add(time.Minute)})
	s.clock.add(2 * time.Minute)
	s.person().refused("link-expired", http.StatusGone, "POST", "/guest/redeem", redeemOf(l))
	do[api.MediaToken](guest, http.StatusOK, "POST", "/guest/token", nil) // whoever is in stays
	do[api.Link](host, http.StatusOK, "POST", path, api.Extend{ExpiresAt: now.Add(time.Hour)})
	s.restart()
	s.guest(l).knock("Maria")
	do[api.Link](host, http.StatusOK, "POST", "/meetings/"+m.ID+"/links/"+l.ID+"/revoke", nil)
	host.refused("link-revoked", http.StatusGone, "POST", path, api.Extend{ExpiresAt: now.Add(2 * time.Hour)})
	host.refused("not-found", http.StatusNotFound, "POST", "/meetings/"+m.ID+"/links/AAAA/extend", api.Extend{ExpiresAt: now.Add(2 * time.Hour)})
}

func TestManyLinksAreMadeTogetherOrNotAtAll(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	host.header.Set("Content-Type", "text/csv")
	status, _, body := host.raw("POST", "/meetings/"+m.ID+"/links/check", "Nom;Courriel;Langue;PIN\nInês Duarte;ines@mne.example;pt;oui\nLuc Martin;luc@mne.example;fr;non\nluc MARTIN;luc@mne.example;fr;non\n")
	if want := `{"guests":[{"line":2,"name":"Inês Duarte","label":"ines@mne.example","language":"pt","role":"guest","pin":true,"invited":false},{"line":3,"name":"Luc Martin","label":"luc@mne.example","language":"fr","role":"guest","pin":false,"invited":false},{"line":4,"name":"luc MARTIN","label":"luc@mne.example","language":"fr","role":"guest","pin":false,"duplicate_of":3,"invited":false}],"errors":[],"ignored":[],"latin":false}` + "\n"; status != http.StatusOK || string(body) != want {
		t.Errorf("%d %s, want %s", status, body, want)
	}
	if status, _, body := host.raw("POST", "/meetings/"+m.ID+"/links/check", strings.Repeat("x", 20<<20+2)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("more than 20 MB: %d %.100s", status, body)
	}
	host.header.Del("Content-Type")
	drafts := api.LinkDrafts{}
	for i := range 2000 {
		raw := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		drafts.Links = append(drafts.Links, api.LinkDraft{
			Kind: "personal", GuestName: fmt.Sprint("Guest ", i), Label: fmt.Sprintf("g%d@mne.example", i),
			ExpiresAt: s.clock.Now().Add(time.Hour), CodeHash: b64.EncodeToString(raw[:]),
		})
	}
	broken := api.LinkDrafts{Links: append([]api.LinkDraft{}, drafts.Links...)}
	broken.Links[1999].Language = "not a language"
	if p := host.refused("invalid", http.StatusUnprocessableEntity, "POST", "/meetings/"+m.ID+"/links/bulk", broken); p.Errors[0].Location != "body.links[1999].language" {
		t.Errorf("problem %+v", p)
	}
	if got := do[api.LinkList](host, http.StatusOK, "GET", "/meetings/"+m.ID+"/links", nil).Links; len(got) != 0 {
		t.Errorf("%d links of a list that was refused", len(got))
	}
	made := do[api.LinkList](host, http.StatusCreated, "POST", "/meetings/"+m.ID+"/links/bulk", drafts).Links
	for i, l := range made {
		if l.GuestName != drafts.Links[i].GuestName {
			t.Fatalf("link %d is for %s", i, l.GuestName)
		}
	}
	s.restart()
	if got := do[api.LinkList](host, http.StatusOK, "GET", "/meetings/"+m.ID+"/links", nil).Links; len(got) != 2000 || len(made) != 2000 {
		t.Errorf("%d links of %d", len(got), len(made))
	}
	host.header.Set("Content-Type", "text/csv")
	if _, _, body := host.raw("POST", "/meetings/"+m.ID+"/links/check", "name,label\nguest 7,G7@mne.example\n"); !strings.Contains(string(body), `"invited":true`) {
		t.Errorf("somebody invited already: %s", body)
	}
	host.header.Del("Content-Type")
	host.refused("conflict", http.StatusConflict, "POST", "/meetings/"+m.ID+"/links/bulk", api.LinkDrafts{Links: append(append([]api.LinkDraft{}, drafts.Links...), drafts.Links[:1999]...)})
}

func TestLinksAreTheHostsBusiness(t *testing.T) {
	s := newServer(t)
	host, other := s.agent("anne@aparte.example"), s.agent("luc@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	guest := s.guest(l)
	guest.knock("Luc")
	hash := strings.Repeat("A", 43)
	at := "/meetings/" + m.ID + "/links"
	for _, c := range []struct {
		method, path string
		body         any
	}{
		{"POST", at + "/bulk", api.LinkDrafts{Links: []api.LinkDraft{{Kind: "shared", ExpiresAt: s.clock.Now().Add(time.Hour), CodeHash: hash}}}},
		{"POST", at + "/revoke-all", nil},
		{"POST", at + "/" + l.ID + "/revoke", nil},
		{"POST", at + "/" + l.ID + "/reissue", api.Reissue{CodeHash: hash}},
		{"POST", at + "/" + l.ID + "/extend", api.Extend{ExpiresAt: s.clock.Now().Add(time.Hour)}},
		{"PUT", at + "/" + l.ID + "/pin", api.LinkPIN{PINHash: hash}},
		{"GET", at + "/" + l.ID + "/uses", nil},
		{"GET", at, nil},
	} {
		other.refused("not-found", http.StatusNotFound, c.method, c.path, c.body)
		guest.refused("unauthenticated", http.StatusUnauthorized, c.method, c.path, c.body)
		s.person().refused("unauthenticated", http.StatusUnauthorized, c.method, c.path, c.body)
	}
	for _, p := range []*person{other, guest} {
		p.header.Set("Content-Type", "text/csv")
		if status, _, body := p.raw("POST", at+"/check", "nom\nA\n"); status != http.StatusNotFound && status != http.StatusUnauthorized {
			t.Errorf("a stranger's list: %d %s", status, body)
		}
	}
	host.refused("not-found", http.StatusNotFound, "GET", at+"/AAAA/uses", nil)
	if v := lookOf(guest); v.Status != "waiting" {
		t.Errorf("the guest is %s", v.Status)
	}
}
