package link

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"aparte/signaling/name"
)

var start = time.Date(2027, 3, 2, 9, 0, 0, 0, time.UTC)

// The browser derives the same: its tests read this file too.
const vectors = "../../web/src/api/testdata/link-vectors.json"

func TestCodeAsTheBrowserDerivesIt(t *testing.T) {
	data, err := os.ReadFile(vectors)
	if err != nil {
		t.Fatal(err)
	}
	var shared struct {
		Vectors []struct {
			Secret   string `json:"secret"`
			Code     string `json:"code"`
			CodeHash string `json:"code_hash"`
		} `json:"vectors"`
		Malformed []string `json:"malformed"`
	}
	if err := json.Unmarshal(data, &shared); err != nil {
		t.Fatal(err)
	}
	if len(shared.Vectors) < 4 || len(shared.Malformed) == 0 {
		t.Fatalf("%d vectors, %d malformed", len(shared.Vectors), len(shared.Malformed))
	}
	derive := func(secret string) ([]byte, error) {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(secret)
		if err != nil {
			return nil, err
		}
		return Code(raw)
	}
	for _, v := range shared.Vectors {
		code, err := derive(v.Secret)
		sum := sha256.Sum256(code)
		if err != nil || base64.RawURLEncoding.EncodeToString(code) != v.Code || base64.RawURLEncoding.EncodeToString(sum[:]) != v.CodeHash {
			t.Errorf("secret %s: code %x, %v", v.Secret, code, err)
		}
		hash, err := ParseCodeHash(v.CodeHash)
		if err != nil || !(Link{CodeHash: hash}).Matches(v.Code) {
			t.Errorf("secret %s: the code does not match its hash, %v", v.Secret, err)
		}
	}
	for _, secret := range shared.Malformed {
		if code, err := derive(secret); err == nil {
			t.Errorf("malformed secret %q gave %x", secret, code)
		}
	}
}

func TestMadeSecretOpensItsLink(t *testing.T) {
	secret, codeHash, err := MakeSecret(bytes.NewReader(bytes.Repeat([]byte{7}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	l, err := New(Draft{Kind: Shared, ExpiresAt: start.Add(time.Hour), CodeHash: codeHash, Unbound: true}, "l", "m", "a", start)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	code, err := Code(raw)
	if err != nil {
		t.Fatal(err)
	}
	right := base64.RawURLEncoding.EncodeToString(code)
	if !l.Matches(right) {
		t.Error("the right code does not match")
	}
	for _, wrong := range []string{"", right[:42], right + "=", right + "A", strings.ToUpper(right), secret, codeHash, base64.RawURLEncoding.EncodeToString(make([]byte, 32))} {
		if wrong != right && l.Matches(wrong) {
			t.Errorf("%q matches", wrong)
		}
	}
	if Decoy().Matches(right) || Decoy().Matches("") || Decoy().Matches(base64.RawURLEncoding.EncodeToString(make([]byte, 32))) {
		t.Error("the decoy opens")
	}
}

func TestDrafts(t *testing.T) {
	hash := strings.Repeat("A", 43)
	good := Draft{Kind: Shared, ExpiresAt: start.Add(time.Hour), CodeHash: hash}
	with := func(change func(*Draft)) Draft { d := good; change(&d); return d }
	for _, c := range []struct {
		name  string
		draft Draft
		field string
	}{
		{"shared", good, ""},
		{"capped", with(func(d *Draft) { d.MaxUses = MaxUses }), ""},
		{"personal", with(func(d *Draft) { d.Kind, d.GuestName = Personal, "Inês" }), ""},
		{"personal without a name", with(func(d *Draft) { d.Kind = Personal }), "guest_name"},
		{"personal with a cap", with(func(d *Draft) { d.Kind, d.GuestName, d.MaxUses = Personal, "I", 2 }), "max_uses"},
		{"shared with a name", with(func(d *Draft) { d.GuestName = "I" }), "guest_name"},
		{"unknown kind", with(func(d *Draft) { d.Kind = "open" }), "kind"},
		{"negative cap", with(func(d *Draft) { d.MaxUses = -1 }), "max_uses"},
		{"large cap", with(func(d *Draft) { d.MaxUses = MaxUses + 1 }), "max_uses"},
		{"expired already", with(func(d *Draft) { d.ExpiresAt = start }), "expires_at"},
		{"no end", with(func(d *Draft) { d.ExpiresAt = time.Time{} }), "expires_at"},
		{"beyond the profile", with(func(d *Draft) { d.ExpiresAt = start.Add(MaxLife + time.Second) }), "expires_at"},
		{"begins after its end", with(func(d *Draft) { d.ValidFrom = d.ExpiresAt }), "valid_from"},
		{"short hash", with(func(d *Draft) { d.CodeHash = hash[:42] }), "code_hash"},
		{"control in the label", with(func(d *Draft) { d.Label = "a\tb" }), "label"},
	} {
		_, err := New(c.draft, "l", "m", "a", start)
		var e *name.Error
		switch {
		case c.field == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.field != "" && (!errors.As(err, &e) || e.At != c.field):
			t.Errorf("%s: %v, want a refusal of %s", c.name, err, c.field)
		}
	}
}

func TestUsable(t *testing.T) {
	base := Link{Kind: Shared, ExpiresAt: start.Add(time.Hour)}
	with := func(change func(*Link)) Link { l := base; change(&l); return l }
	early := &EarlyError{}
	for _, c := range []struct {
		name  string
		link  Link
		known bool
		want  error
	}{
		{"valid", base, false, nil},
		{"last moment", with(func(l *Link) { l.ExpiresAt = start.Add(time.Nanosecond) }), false, nil},
		{"expired", with(func(l *Link) { l.ExpiresAt = start }), true, ErrExpired},
		{"early", with(func(l *Link) { l.ValidFrom = start.Add(time.Second) }), false, early},
		{"first moment", with(func(l *Link) { l.ValidFrom = start }), false, nil},
		{"revoked before expired", with(func(l *Link) { l.RevokedAt, l.ExpiresAt = start, start }), false, ErrRevoked},
		{"full", with(func(l *Link) { l.MaxUses, l.Uses = 2, 2 }), false, ErrFull},
		{"full, but counted already", with(func(l *Link) { l.MaxUses, l.Uses = 2, 2 }), true, nil},
		{"no cap", with(func(l *Link) { l.Uses = 5000 }), false, nil},
		{"personal, free", with(func(l *Link) { l.Kind = Personal }), false, nil},
		{"personal, mine", with(func(l *Link) { l.Kind, l.Session = Personal, "me" }), true, nil},
		{"personal, another's", with(func(l *Link) { l.Kind, l.Session = Personal, "you" }), false, ErrInUse},
	} {
		err := c.link.Usable(Holder{Session: "me", Known: c.known}, start)
		if errors.Is(c.want, early) {
			if _, ok := errors.AsType[*EarlyError](err); !ok {
				t.Errorf("%s: %v, want early", c.name, err)
			}
		} else if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if l := base.Revoke(start).Revoke(start.Add(time.Hour)); !l.RevokedAt.Equal(start) {
		t.Errorf("revoked twice at %s", l.RevokedAt)
	}
}
