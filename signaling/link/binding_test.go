package link

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

func TestThumbprintIsThatOfRFC7638(t *testing.T) {
	// The P-256 key of RFC 7517, appendix A.1; the print is SHA-256 of its three
	// members in order, as any JOSE library gives it.
	x, _ := base64.RawURLEncoding.DecodeString("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4")
	y, _ := base64.RawURLEncoding.DecodeString("4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM")
	key := PublicKey(append(append([]byte{4}, x...), y...))
	if got := key.Thumbprint(); got != "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s" {
		t.Errorf("thumbprint %s", got)
	}
	if got := (PublicKey{}).Thumbprint(); got != "" {
		t.Errorf("no key has the thumbprint %s", got)
	}
}

// signed is a proof as a browser makes it.
func signed(t testing.TB, key *ecdsa.PrivateKey, statement string) Proof {
	t.Helper()
	public, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	p := Proof{PublicKey: base64.RawURLEncoding.EncodeToString(public)}
	sum := sha256.Sum256([]byte(statement + "\n" + p.PublicKey))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	raw := make([]byte, 64)
	r.FillBytes(raw[:32])
	s.FillBytes(raw[32:])
	p.Signature = base64.RawURLEncoding.EncodeToString(raw)
	return p
}

func TestProofs(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	statement := KnockStatement("link", "session", "challenge")
	good := signed(t, key, statement)
	got, err := good.Verify(statement)
	if err != nil || base64.RawURLEncoding.EncodeToString(got[:]) != good.PublicKey {
		t.Fatalf("a good proof: %v", err)
	}
	for _, other := range []string{
		KnockStatement("link2", "session", "challenge"), KnockStatement("link", "session2", "challenge"), KnockStatement("link", "session", ""),
		ReturnStatement("link", "challenge"), ReturnStatement("link\nsession", "challenge"), "",
	} {
		if _, err := good.Verify(other); !errors.Is(err, ErrProof) {
			t.Errorf("holds for %q: %v", other, err)
		}
	}
	for what, p := range map[string]Proof{
		"nothing":               {},
		"no signature":          {PublicKey: good.PublicKey},
		"a short signature":     {PublicKey: good.PublicKey, Signature: good.Signature[:85]},
		"padding":               {PublicKey: good.PublicKey, Signature: good.Signature + "=="},
		"zeros":                 {PublicKey: good.PublicKey, Signature: strings.Repeat("A", 86)},
		"the point at infinity": {PublicKey: strings.Repeat("A", 87), Signature: good.Signature},
		"a compressed point":    {PublicKey: "A" + good.PublicKey[1:44], Signature: good.Signature},
		"another key":           {PublicKey: signed(t, must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), "").PublicKey, Signature: good.Signature},
	} {
		if _, err := p.Verify(statement); !errors.Is(err, ErrProof) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func FuzzProof(f *testing.F) {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	good := signed(f, key, "s")
	f.Add(good.PublicKey, good.Signature, "s")
	f.Add("", "", "")
	f.Fuzz(func(t *testing.T, public, signature, statement string) {
		p := Proof{PublicKey: public, Signature: signature}
		if k, err := p.Verify(statement); err == nil && (k == PublicKey{} || statement == "" && public == good.PublicKey) {
			t.Errorf("%+v holds for %q", p, statement)
		}
	})
}

func TestChallengesAreForOneLinkOnceAndSoon(t *testing.T) {
	c := NewChallenges(bytes.NewReader(bytes.Repeat([]byte{5, 6, 7}, 1000)))
	one, err := c.Make("link", start)
	if err != nil {
		t.Fatal(err)
	}
	two := must(c.Make("link", start))
	if one == two {
		t.Fatal("the same challenge twice")
	}
	raw, _ := base64.RawURLEncoding.DecodeString(one)
	raw[20]++ // its end
	later := base64.RawURLEncoding.EncodeToString(raw)
	stranger := must(NewChallenges(rand.Reader).Make("link", start))
	for what, try := range map[string]struct {
		link, challenge string
		at              time.Time
	}{
		"another link's":   {"link2", one, start},
		"one of ours, not": {"link", stranger, start},
		"a longer life":    {"link", later, start},
		"too late":         {"link", one, start.Add(2 * time.Minute)},
		"nothing":          {"link", "", start},
	} {
		if err := c.Spend(try.link, try.challenge, try.at); !errors.Is(err, ErrProof) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := NewChallenges(rand.Reader).Spend("link", one, start); !errors.Is(err, ErrProof) {
		t.Errorf("after a restart: %v", err)
	}
	for _, challenge := range []string{one, two} {
		if err := c.Spend("link", challenge, start.Add(119*time.Second)); err != nil {
			t.Errorf("in time: %v", err)
		}
		if err := c.Spend("link", challenge, start.Add(119*time.Second)); !errors.Is(err, ErrProof) {
			t.Errorf("a second time: %v", err)
		}
	}
	_ = c.Spend("link", must(c.Make("link", start.Add(time.Hour))), start.Add(time.Hour))
	if len(c.spent) != 1 {
		t.Errorf("%d spent challenges are remembered, want the last", len(c.spent))
	}
}

func TestPINProofsAsTheBrowserDerivesThem(t *testing.T) {
	var shared struct {
		PINs []struct{ Secret, PIN, Proof, Hash string }
	}
	data, err := os.ReadFile(vectors)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &shared); err != nil || len(shared.PINs) < 3 {
		t.Fatalf("%d vectors, %v", len(shared.PINs), err)
	}
	for _, v := range shared.PINs {
		secret := must(base64.RawURLEncoding.DecodeString(v.Secret))
		proof := must(PINProof(secret, v.PIN))
		if base64.RawURLEncoding.EncodeToString(proof) != v.Proof {
			t.Errorf("PIN %s: proof %x", v.PIN, proof)
		}
		l := Link{}
		if err := l.setSecret(strings.Repeat("A", 43), v.Hash); err != nil || !l.matchesPIN(v.Proof) {
			t.Errorf("PIN %s: its proof does not match its hash, %v", v.PIN, err)
		}
	}
	if _, err := PINProof(make([]byte, 31), "000000"); err == nil {
		t.Error("a short secret")
	}
	if (Link{}).matchesPIN("") || (Link{}).matchesPIN(base64.RawURLEncoding.EncodeToString(make([]byte, 32))) {
		t.Error("a link without a PIN takes one")
	}
}

func TestMadePINs(t *testing.T) {
	seen := make(map[string]bool)
	for range 200 {
		pin := must(MakePIN(rand.Reader))
		if len(pin) != PINDigits || strings.Trim(pin, "0123456789") != "" {
			t.Fatalf("PIN %q", pin)
		}
		seen[pin] = true
	}
	if len(seen) < 190 {
		t.Errorf("%d different PINs of 200", len(seen))
	}
}

func TestGuesses(t *testing.T) {
	now := start
	g := NewGuesses(func() time.Time { return now })
	proof := base64.RawURLEncoding.EncodeToString(must(PINProof(make([]byte, 32), "482915")))
	l := Link{ID: "l", PINHash: PINHash(sha256.Sum256(must(PINProof(make([]byte, 32), "482915"))))}
	if err := g.Try(l, "", "a"); !errors.Is(err, ErrPINRequired) {
		t.Errorf("nothing: %v", err)
	}
	for _, want := range []int{4, 3, 2, 1, 0} {
		if e, ok := errors.AsType[*PINError](g.Try(l, "AAAA", "a")); !ok || e.TriesLeft != want {
			t.Errorf("%+v, want %d left", e, want)
		}
	}
	for _, pause := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute} {
		if e, ok := errors.AsType[*PauseError](g.Try(l, proof, "a")); !ok || e.Wait != pause {
			t.Errorf("pause %v, want %s", e, pause)
		}
		now = now.Add(pause)
		if _, ok := errors.AsType[*PINError](g.Try(l, "AAAA", "a")); !ok {
			t.Errorf("after %s nothing is compared", pause)
		}
	}
	for what, other := range map[string]struct {
		link   Link
		source string
	}{"another source": {l, "b"}, "another link": {Link{ID: "l2", PINHash: l.PINHash}, "a"}} {
		if err := g.Try(other.link, proof, other.source); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	now = now.Add(8 * time.Minute)
	if err := g.Try(l, proof, "a"); err != nil {
		t.Errorf("the right PIN after the pause: %v", err)
	}
	if e, ok := errors.AsType[*PINError](g.Try(l, "AAAA", "a")); !ok || e.TriesLeft != 4 {
		t.Errorf("what failed before the right PIN still counts: %+v", e)
	}
}

// Who spends challenges of one link without end keeps no guest of another out.
func TestSpentChallengesOfALinkAreBounded(t *testing.T) {
	c := NewChallenges(rand.Reader)
	spend := func(id string, now time.Time) error {
		t.Helper()
		challenge, err := c.Make(id, now)
		if err != nil {
			t.Fatal(err)
		}
		return c.Spend(id, challenge, now)
	}
	for range maxSpentOf {
		if err := spend("greedy", start); err != nil {
			t.Fatal(err)
		}
	}
	if err := spend("greedy", start); !errors.Is(err, ErrProof) {
		t.Errorf("above the limit: %v", err)
	}
	if err := spend("other", start); err != nil {
		t.Errorf("another link: %v", err)
	}
	if err := spend("greedy", start.Add(challengeLife)); err != nil || len(c.spent) != 1 || len(c.of) != 1 {
		t.Errorf("afterwards: %v, %d remembered of %d links", err, len(c.spent), len(c.of))
	}
}
