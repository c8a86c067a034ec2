package threats

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"aparte/signaling/api"
)

// from is a person at another address of this machine: limits count by source.
func (p *program) from(address string) *person {
	someone := p.person()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	someone.client.Transport = &http.Transport{MaxIdleConnsPerHost: 1, DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, to)
	}}
	return someone
}

// Unknown ids and wrong secrets, whatever the link's state: one body, one status, one set
// of headers; and one time, which is looked at over many tries taken in turns.
func TestUnknownLinkAndWrongSecretAreTheSame(t *testing.T) {
	t.Parallel()
	p := start(t)
	host := p.administrator()
	m := host.meeting()
	later := time.Now().Add(time.Hour)
	good, revoked := host.link(m.ID, api.LinkDraft{}), host.link(m.ID, api.LinkDraft{})
	do[api.Link](host, "POST", "/meetings/"+m.ID+"/links/"+revoked.ID+"/revoke", nil)
	early := host.link(m.ID, api.LinkDraft{ValidFrom: &later})
	full := host.link(m.ID, api.LinkDraft{MaxUses: 1})
	host.waiting(m.ID, full, "Maria")
	wrong := base64.RawURLEncoding.EncodeToString(make([]byte, 32))
	unknown := "AAAAAAAAAAAAAAAAAAAAAA"
	var first answer
	for i, c := range []struct{ id, code string }{
		{unknown, wrong},
		{unknown, good.code},
		{good.ID, wrong},
		{revoked.ID, wrong},
		{early.ID, wrong},
		{full.ID, wrong},
		{good.ID, revoked.code},
		{revoked.ID, good.code},
		{good.ID, good.secret},
		{"", ""},
		{good.ID, ""},
		{good.ID, good.code[:42]},
		{good.ID, good.code + "A"},
		{good.ID + "\x00", good.code},
		{strings.ToLower(good.ID) + "x", good.code},
		{"' OR 1=1 --", "../../x"},
		{m.ID, good.code},
	} {
		got := p.from(fmt.Sprintf("127.0.2.%d", i+1)).call("POST", "/guest/redeem", api.Redeem{LinkID: c.id, Code: c.code})
		got.header.Del("Date")
		if first.body == nil {
			first = got
		}
		if got.status != http.StatusNotFound || got.code() != "link-unknown" || !bytes.Equal(got.body, first.body) || fmt.Sprint(got.header) != fmt.Sprint(first.header) {
			t.Errorf("link %q: %d %v %s, want what all others get: %v %s", c.id, got.status, got.header, got.body, first.header, first.body)
		}
	}

	kinds := []redemption{
		{"unknown id", unknown, good.code}, {"wrong secret", good.ID, wrong}, {"wrong secret of a revoked link", revoked.ID, wrong}, {"no secret", good.ID, ""},
	}
	// What would give a link away costs more than this: loading its meeting, a hash made to be
	// slow, a write. A lookup that finds nothing may be some microseconds cheaper. Another program
	// that wakes up can shift a round, never three of them.
	for round := range 3 {
		times := p.redemptionTimes(kinds, fmt.Sprintf("127.0.%d.", 10+round))
		t.Logf("a quarter of each of %d kinds within: %v", len(kinds), times)
		lowest, highest := slices.Min(times), slices.Max(times)
		if highest-lowest <= max(lowest/3, 150*time.Microsecond) {
			break
		}
		if round == 2 {
			t.Errorf("the answers take different times: %v", times)
		}
	}

	// The holder of the right secret is told what it is.
	for want, l := range map[string]madeLink{"link-revoked": revoked, "link-early": early, "link-full": full} {
		got := p.person().call("POST", "/guest/redeem", api.Redeem{LinkID: l.ID, Code: l.code})
		if got.code() != want || bytes.Contains(got.body, []byte(m.Title)) {
			t.Errorf("the right secret: %s, want %s without a title", got.body, want)
		}
	}
}

// redemption is a wrong try of a link.
type redemption struct{ name, id, code string }

// redemptionTimes is within what time the faster quarter of each kind is answered, which other
// programs disturb least. They are tried in turns from many addresses: each is asked less often
// than the limit on guessing allows.
func (p *program) redemptionTimes(kinds []redemption, network string) []time.Duration {
	p.t.Helper()
	const sources, tries = 30, 24
	times := make([][]time.Duration, len(kinds))
	for source := range sources {
		guesser := p.from(network + fmt.Sprint(source+1))
		for i := range tries {
			kind := (i + source) % len(kinds)
			began := time.Now()
			got := guesser.call("POST", "/guest/redeem", api.Redeem{LinkID: kinds[kind].id, Code: kinds[kind].code})
			if i >= len(kinds) { // the first ones connect
				times[kind] = append(times[kind], time.Since(began))
			}
			if got.status != http.StatusNotFound {
				p.t.Fatalf("%s: %d %s", kinds[kind].name, got.status, got.body)
			}
		}
	}
	quarters := make([]time.Duration, len(kinds))
	for i, all := range times {
		slices.Sort(all)
		quarters[i] = all[len(all)/4]
	}
	return quarters
}

func TestEnumerationIsThrottled(t *testing.T) {
	t.Parallel()
	p := start(t)
	host := p.administrator()
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	guesser := p.from("127.0.4.1")
	guess := api.Redeem{LinkID: "AAAAAAAAAAAAAAAAAAAAAA", Code: l.code}
	allowed := 0
	for ; allowed < 200; allowed++ {
		got := guesser.call("POST", "/guest/redeem", guess)
		if got.status == http.StatusTooManyRequests {
			if got.code() != "too-many" || got.header.Get("Retry-After") == "" {
				t.Errorf("refused with %v %s", got.header, got.body)
			}
			break
		}
	}
	if allowed < 10 || allowed > 60 {
		t.Errorf("%d guesses were answered", allowed)
	}
	// Over the limit a wrong secret learns nothing more, not even by another form of the same id.
	for _, other := range []api.Redeem{{LinkID: l.ID, Code: "x"}, {LinkID: "x", Code: "x"}} {
		refused := false
		for range 10 { // every two seconds there is one guess more, now and then just before this one
			for guesser.call("POST", "/guest/redeem", guess).status != http.StatusTooManyRequests {
			}
			if refused = guesser.call("POST", "/guest/redeem", other).code() == "too-many"; refused {
				break
			}
		}
		if !refused {
			t.Errorf("%+v is answered over the limit", other)
		}
	}
	// Whoever holds the right secret comes in, from the same address and from others.
	for _, address := range []string{"127.0.4.1", "127.0.4.2"} {
		honest := p.from(address)
		do[api.Redeemed](honest, "POST", "/guest/redeem", api.Redeem{LinkID: l.ID, Code: l.code})
	}
	do[api.Meeting](host, "GET", "/meetings/"+m.ID, nil)
}

// Mail scanners fetch every address in a mail, some with HEAD, some ten times.
func TestLookingAtALinkUsesNothingUp(t *testing.T) {
	t.Parallel()
	p := start(t)
	host := p.administrator()
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{Kind: "personal", GuestName: "Inês Duarte"})
	robot := p.person()
	for range 5 {
		for _, path := range []string{"/i/" + l.ID, "/i/" + l.ID + "?utm_source=mail", "/api/v1/guest/redeem?link_id=" + l.ID, "/api/v1/guest", "/api/v1/guest/knock", "/api/v1/guest/token"} {
			robot.raw("GET", path, "")
			robot.raw("HEAD", path, "")
			robot.raw("OPTIONS", path, "")
		}
		p.open(l) // a browser inside a mail program, closed again
	}
	if got := do[api.LinkList](host, "GET", "/meetings/"+m.ID+"/links", nil).Links[0]; got.Uses != 0 || got.RevokedAt != nil {
		t.Errorf("looking used the link up: %+v", got)
	}
	if guest, _ := host.waiting(m.ID, l, "Inês Duarte"); guest == nil {
		t.Error("the invited guest cannot knock")
	}
}
