package threats

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"aparte/signaling/api"
)

// capture is the access log of a proxy in front: request lines and referrers.
type capture struct {
	next http.RoundTripper
	mu   *sync.Mutex
	log  *strings.Builder // guarded by mu
}

func (c capture) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := c.next.RoundTrip(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log.WriteString(r.Method + " " + r.URL.String() + " " + r.Referer() + "\n")
	if err == nil {
		c.log.WriteString(res.Header.Get("Location") + "\n")
	}
	return res, err
}

// A whole meeting, and then every place that is kept is searched: the log at its most
// talkative, the data, the addresses that were asked. The exception is access_token on
// /rtc, which the log must not show either.
func TestSecretsAreKeptNowhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := startOn(t, dir)
	var mu sync.Mutex
	var accesses strings.Builder
	watched := func(someone *person) *person {
		someone.client.Transport = capture{someone.client.Transport, &mu, &accesses}
		return someone
	}
	admin := watched(p.administrator())
	host := watched(admin.agent("Inès Caron", "ines@aparte.example"))
	const chosen = "a password that only Inès knows"
	do[struct{}](host, "PUT", "/account/password", api.PasswordChange{Password: chosen})
	do[api.SignedIn](p.person(), "POST", "/session", api.Credentials{Email: "ines@aparte.example", Password: chosen})
	p.person().refused("unauthenticated", "POST", "/session", api.Credentials{Email: "ines@aparte.example", Password: "a password that is wrong"})
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	guest, k := host.admitted(m.ID, l, "Inês Duarte")
	watched(guest)
	seat := do[api.MediaToken](host, "POST", "/meetings/"+m.ID+"/join", nil)
	token := do[api.MediaToken](guest, "POST", "/guest/token", nil)
	inside, other := p.join(seat.Token), p.join(token.Token)
	other.cut()
	other.resume()
	// Everything that fails is likelier to be logged than what works.
	p.person().refused("link-unknown", "POST", "/guest/redeem", api.Redeem{LinkID: l.ID, Code: l.secret})
	for _, path := range []string{"/rtc/validate", "/rtc/v1/validate"} {
		watched(p.person()).raw("GET", path+"?access_token="+token.Token+"x", "")
	}
	lost := p.person()
	lost.raw("POST", "/api/v1/guest/redeem", `{"link_id":"`+l.ID+`","code":"`+l.code+`"`)
	lost.raw("POST", "/api/v1/session", `{"email":"ines@aparte.example","password":"`+chosen+`","x":1}`)
	do[struct{}](host, "POST", "/meetings/"+m.ID+"/participants/"+k.Identity+"/remove", nil)
	guest.refused("denied", "POST", "/guest/token", nil)
	if ws, _ := p.wire(token.Token, false, ""); ws != nil {
		t.Error("the token of a removed guest opens the door")
	}
	inside.leave()
	secrets := map[string]string{
		"the link's secret": l.secret, "the redemption code": l.code, "a lobby session": guest.bearer,
		"an agent's cookie": host.cookie(), "the administrator's cookie": admin.cookie(), "the set-up code": p.setup,
		"a password": chosen, "the administrator's password": password, "a wrong password": "a password that is wrong",
		"a host's media token": signature(t, seat.Token), "a guest's media token": signature(t, token.Token),
		"the API key's secret": apiSecret, "the grant behind a token": grantOf(t, token.Token), "the seat behind a token": grantOf(t, seat.Token),
	}
	for name, secret := range secrets {
		if len(secret) < 16 {
			t.Fatalf("%s is %q: this test would find nothing", name, secret)
		}
	}
	p.stop()

	if len(p.logs()) == 0 || !strings.Contains(accesses.String(), "/guest/token") {
		t.Fatalf("nothing was captured: %q, %q", p.logs(), accesses.String())
	}
	for what, text := range map[string]string{"the log": p.logs(), "an address or a referrer": withoutTokens(accesses.String())} {
		for _, found := range holds([]byte(text), secrets) {
			t.Errorf("%s holds %s", what, found)
		}
	}
	// At rest the ids of grants are kept, as what a token is looked up by; a token cannot be made from one.
	delete(secrets, "the grant behind a token")
	delete(secrets, "the seat behind a token")
	files := 0
	err := filepath.WalkDir(filepath.Join(dir, "data"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files++
		for _, found := range holds(data, secrets) {
			t.Errorf("%s holds %s", d.Name(), found)
		}
		if info, err := d.Info(); err == nil && info.Mode().Perm()&0o077 != 0 && d.Name() != "node-key.json" { // which is for everybody
			t.Errorf("%s can be read by others: %v", d.Name(), info.Mode())
		}
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("%d files looked at: %v", files, err)
	}
}

// signature is what makes a token a secret.
func signature(t *testing.T, token string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("no token: %q", token)
	}
	return parts[2]
}

// tokenHead is what every media token begins with: longer than what chance writes.
func tokenHead(token string) string {
	head, _, _ := strings.Cut(token, ".")
	return head
}

func grantOf(t *testing.T, token string) string {
	t.Helper()
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil {
		t.Fatal(err)
	}
	id, _ := claims["jti"].(string)
	return id
}

// withoutTokens leaves out the addresses that may hold a token.
func withoutTokens(accesses string) string {
	var rest []string
	for line := range strings.Lines(accesses) {
		if _, address, _ := strings.Cut(line, " "); !strings.Contains(address, "/rtc") {
			rest = append(rest, line)
		}
	}
	return strings.Join(rest, "")
}
