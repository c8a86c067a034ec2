package token

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/livekit/protocol/auth"
	"google.golang.org/protobuf/proto"

	"aparte/sfu"
	"aparte/signaling/lobby"
	"aparte/signaling/login"
	"aparte/signaling/meeting"
	"aparte/signaling/role"
	"aparte/signaling/wire"
)

var quiet = slog.New(slog.DiscardHandler)

var start = time.Date(2027, 3, 2, 9, 0, 0, 0, time.UTC)

// book is who may be where.
type book struct {
	grants map[string]meeting.Grant // by id
	err    error
	dead   map[string]bool // agents' sessions
	broken error           // what asking for a session fails with
}

func (b book) Grant(_ context.Context, meetingID, id string) (meeting.Grant, error) {
	g, ok := b.grants[id]
	if b.err != nil {
		return meeting.Grant{}, b.err
	}
	if !ok || g.Meeting != meetingID {
		return meeting.Grant{}, meeting.ErrNotAdmitted
	}
	return g, nil
}

func (b book) Alive(_ context.Context, id string) error {
	if b.dead[id] {
		return login.ErrNoSession
	}
	return b.broken
}

var (
	key   = []byte("0123456789abcdef0123456789abcdef")
	guest = meeting.Grant{ID: "g", Meeting: "m", Identity: "p_g", Name: "Inês", Organisation: "MNE", Role: role.Guest, Permissions: lobby.Permissions{Speak: true, Chat: true}}
	host  = meeting.Grant{ID: "h", Meeting: "m", Identity: "p_h", Name: "Anne", Role: role.Host, Permissions: lobby.Everything(), AgentSession: "as"}
)

func newBook() book {
	return book{grants: map[string]meeting.Grant{"g": guest, "h": host}, dead: map[string]bool{}}
}

func issuer(t *testing.T, b book, now *time.Time) *Meetings {
	t.Helper()
	m, err := NewMeetings(key, b, b, func() time.Time { return *now }, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTokenOpensWhatTheGrantSaysNow(t *testing.T) {
	now, b := start, newBook()
	m := issuer(t, b, &now)
	text, err := m.Issue(guest)
	if err != nil {
		t.Fatal(err)
	}
	g, err := m.Authorize(t.Context(), text)
	if err != nil || g.Room != "m" || g.Space != sfu.MeetingSpace || g.ID != "g" || g.Identity != "p_g" || g.Attributes["aparte.role"] != "guest" || g.Attributes["aparte.organisation"] != "MNE" {
		t.Fatalf("grant %+v, %v", g, err)
	}
	if v := g.Video; !v.RoomJoin || v.GetCanPublishData() || !v.GetCanSubscribe() || v.RoomAdmin || len(v.CanPublishSources) != 1 || v.CanPublishSources[0] != "microphone" || v.GetCanUpdateOwnMetadata() {
		t.Errorf("video grant %+v", v)
	}
	silent := guest
	silent.Permissions = lobby.Permissions{}
	b.grants["g"] = silent // a host took the microphone back: the old token does not keep it
	if g, err = m.Authorize(t.Context(), text); err != nil || g.Video.GetCanPublish() || g.Video.GetCanPublishData() {
		t.Errorf("grant %+v, %v", g.Video, err)
	}
	if again, err := m.Refresh(t.Context(), g); err != nil || again == "" {
		t.Errorf("refresh: %v", err)
	}
	delete(b.grants, "g")
	if _, err := m.Authorize(t.Context(), text); !errors.Is(err, wire.ErrUnauthorized) {
		t.Errorf("after removal: %v", err)
	}
	if _, err := m.Refresh(t.Context(), g); !errors.Is(err, wire.ErrUnauthorized) {
		t.Errorf("refresh after removal: %v", err)
	}
}

// What a token is good for and what the call is told of a grant are the same: or
// everybody would be told of a change that is none.
func TestATokenAllowsWhatTheGrantDoes(t *testing.T) {
	for _, p := range []lobby.Permissions{{}, {Chat: true}, {Speak: true}, {Camera: true, Share: true}, lobby.Everything()} {
		g := meeting.Grant{Meeting: "m", Permissions: p}
		if got, want := videoGrant(g).ToPermission(), g.Permission(); !proto.Equal(got, want) {
			t.Errorf("%+v: got %v, want %v", p, got, want)
		}
	}
}

func TestHostsTokenDiesWithTheAgentsSession(t *testing.T) {
	now, b := start, newBook()
	m := issuer(t, b, &now)
	text, err := m.Issue(host)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Authorize(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	b.dead["as"] = true
	if _, err := m.Authorize(t.Context(), text); !errors.Is(err, wire.ErrUnauthorized) {
		t.Errorf("after signing out: %v", err)
	}
}

func TestUnavailableIsNotUnauthorized(t *testing.T) {
	now, b := start, newBook()
	text, err := issuer(t, b, &now).Issue(guest)
	if err != nil {
		t.Fatal(err)
	}
	b.err = meeting.ErrUnavailable
	if _, err := issuer(t, b, &now).Authorize(t.Context(), text); !errors.Is(err, wire.ErrUnavailable) {
		t.Errorf("while the database is away: %v, or clients give up for good", err)
	}
}

// What the authorizer says is shown to clients.
func TestCausesAreLoggedNotShown(t *testing.T) {
	now, b := start, newBook()
	var logged bytes.Buffer
	m, err := NewMeetings(key, &b, &b, func() time.Time { return now }, slog.New(slog.NewTextHandler(&logged, nil)))
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range []meeting.Grant{guest, host} {
		text, err := m.Issue(g)
		if err != nil {
			t.Fatal(err)
		}
		cause := fmt.Errorf("load meeting m: %w: disk I/O error (778)", meeting.ErrUnavailable)
		if b.err, b.broken = nil, cause; g.Role == role.Guest {
			b.err = cause
		}
		logged.Reset()
		_, err = m.Authorize(t.Context(), text)
		if !errors.Is(err, wire.ErrUnavailable) || strings.Contains(err.Error(), "meeting") || strings.Contains(err.Error(), "disk") {
			t.Errorf("%s is told %q", g.Role, err)
		}
		if got := logged.String(); !strings.Contains(got, "disk I/O error (778)") || !strings.Contains(got, "meeting=m") {
			t.Errorf("the log says %q", got)
		}
	}
}

func TestForgedTokensAreRefused(t *testing.T) {
	now, b := start, newBook()
	m := issuer(t, b, &now)
	video := &auth.VideoGrant{RoomJoin: true, Room: "m"}
	good := claims{Video: video, RegisteredClaims: jwt.RegisteredClaims{
		Issuer: meetingIssuer, Subject: "p_g", ID: "g", ExpiresAt: jwt.NewNumericDate(start.Add(time.Minute)),
	}}
	with := func(change func(*claims)) claims { c := good; change(&c); return c }
	sign := func(method jwt.SigningMethod, with any, c claims) string {
		t.Helper()
		text, err := jwt.NewWithClaims(method, c).SignedString(with)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	hs := func(c claims) string { return sign(jwt.SigningMethodHS256, key, c) }
	if _, err := m.Authorize(t.Context(), hs(good)); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	parts := strings.Split(hs(good), ".")
	head := func(h string) string { return base64.RawURLEncoding.EncodeToString([]byte(h)) }
	for name, text := range map[string]string{
		"empty":            "",
		"not a token":      "a.b.c",
		"alg none":         sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good),
		"alg None":         head(`{"alg":"None","typ":"JWT"}`) + "." + parts[1] + ".",
		"no signature":     parts[0] + "." + parts[1] + ".",
		"alg RS256":        head(`{"alg":"RS256","typ":"JWT"}`) + "." + parts[1] + "." + parts[2],
		"HS384":            sign(jwt.SigningMethodHS384, key, good),
		"another key":      sign(jwt.SigningMethodHS256, []byte("ffffffffffffffffffffffffffffffff"), good),
		"API key's issuer": hs(with(func(c *claims) { c.Issuer = "devkey" })),
		"no issuer":        hs(with(func(c *claims) { c.Issuer = "" })),
		"expired":          hs(with(func(c *claims) { c.ExpiresAt = jwt.NewNumericDate(start.Add(-time.Minute)) })),
		"never expires":    hs(with(func(c *claims) { c.ExpiresAt = nil })),
		"not yet":          hs(with(func(c *claims) { c.NotBefore = jwt.NewNumericDate(start.Add(time.Minute)) })),
		"no id":            hs(with(func(c *claims) { c.ID = "" })),
		"unknown id":       hs(with(func(c *claims) { c.ID = "x" })),
		"identity as id":   hs(with(func(c *claims) { c.ID = "p_g" })),
		"other's identity": hs(with(func(c *claims) { c.Subject = "p_h" })),
		"other room":       hs(with(func(c *claims) { c.Video = &auth.VideoGrant{RoomJoin: true, Room: "m2"} })),
		"no room":          hs(with(func(c *claims) { c.Video = nil })),
	} {
		if g, err := m.Authorize(t.Context(), text); !errors.Is(err, wire.ErrUnauthorized) {
			t.Errorf("%s: %+v, %v", name, g, err)
		}
	}
	if _, err := NewMeetings(key[:31], b, b, time.Now, quiet); err == nil {
		t.Error("a key of 31 bytes was accepted")
	}
}

func TestTheSpacesDoNotMeet(t *testing.T) {
	now, b := time.Now(), newBook() // livekit's own verifier reads the wall clock
	m := issuer(t, b, &now)
	both := Spaces{Meetings: m, Integration: Integration{Keys: Keys{"devkey": "secret", meetingIssuer: "secret"}, Now: time.Now}}
	api := func(key, secret string) string {
		t.Helper()
		text, err := auth.NewAccessToken(key, secret).SetIdentity("p_g").SetVideoGrant(&auth.VideoGrant{RoomJoin: true, Room: "m"}).ToJWT()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	g, err := both.Authorize(t.Context(), api("devkey", "secret"))
	if err != nil || g.Space != sfu.IntegrationSpace {
		t.Errorf("an API key's token: %+v, %v; want an integration room", g, err)
	}
	if g, err := both.Authorize(t.Context(), api(meetingIssuer, "secret")); err == nil {
		t.Errorf("an API key that took the internal issuer's name: %+v", g)
	}
	text, err := m.Issue(guest)
	if err != nil {
		t.Fatal(err)
	}
	if g, err = both.Authorize(t.Context(), text); err != nil || g.Space != sfu.MeetingSpace {
		t.Errorf("an internal token: %+v, %v; want a meeting room", g, err)
	}
	if again, err := both.Refresh(t.Context(), g); err != nil || again == "" {
		t.Errorf("refresh: %v", err)
	}
	if _, err := (Integration{Keys: Keys{"devkey": "secret"}, Now: time.Now}).Authorize(t.Context(), text); err == nil {
		t.Error("an internal token opens integration rooms")
	}
}

// Whoever refreshes ends the session of a grant that is gone, so a store that
// fails for a moment must not look like one.
func TestAFailingStoreIsNoVerdict(t *testing.T) {
	now := start
	b := newBook()
	text, err := issuer(t, b, &now).Issue(host)
	if err != nil {
		t.Fatal(err)
	}
	b.broken = errors.New("disk I/O error")
	if _, err := issuer(t, b, &now).Authorize(t.Context(), text); !errors.Is(err, wire.ErrUnavailable) {
		t.Errorf("Authorize while sessions cannot be read: %v, want %v", err, wire.ErrUnavailable)
	}
	if _, err := issuer(t, b, &now).Refresh(t.Context(), &wire.Grant{ID: "h", Room: "m"}); !errors.Is(err, wire.ErrUnavailable) {
		t.Errorf("Refresh while sessions cannot be read: %v, want %v", err, wire.ErrUnavailable)
	}
	b.broken, b.err = nil, errors.New("disk I/O error")
	if _, err := issuer(t, b, &now).Refresh(t.Context(), &wire.Grant{ID: "h", Room: "m"}); !errors.Is(err, wire.ErrUnavailable) {
		t.Errorf("Refresh while grants cannot be read: %v, want %v", err, wire.ErrUnavailable)
	}
}
