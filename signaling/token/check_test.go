package token

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/livekit/protocol/auth"

	"aparte/sfu"
	"aparte/signaling/netcheck"
	"aparte/signaling/wire"
)

// benches are the seats of checks that run, by id.
type benches map[string]netcheck.Seat

func (b benches) Seat(_ context.Context, room, id string) (netcheck.Seat, time.Time, error) {
	s, ok := b[id]
	if !ok || s.Room != room {
		return netcheck.Seat{}, time.Time{}, netcheck.ErrOver
	}
	return s, start.Add(45 * time.Second), nil
}

func TestCheckTokens(t *testing.T) {
	now := start
	clock := func() time.Time { return now }
	sender := netcheck.Seat{ID: "s", Room: "c", Identity: "sender", Sends: true, Way: netcheck.Any}
	receiver := netcheck.Seat{ID: "r", Room: "c", Identity: "relay", Way: netcheck.Relay}
	running := benches{"s": sender, "r": receiver}
	checks, err := NewChecks(running, clock, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	meetings := issuer(t, newBook(), &now)
	spaces := Spaces{Meetings: meetings, Checks: checks, Integration: Integration{Keys: Keys{checkIssuer: "secret-of-a-stranger", "k": "s"}, Now: clock}}
	issue := func(s netcheck.Seat) string {
		t.Helper()
		text, err := checks.Issue(s, start.Add(45*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}

	for _, s := range []netcheck.Seat{sender, receiver} {
		g, err := spaces.Authorize(t.Context(), issue(s))
		if err != nil {
			t.Fatal(err)
		}
		p := g.Video.ToPermission()
		if g.Space != sfu.CheckSpace || g.Room != "c" || g.Identity != s.Identity || p.CanPublish != s.Sends || p.CanSubscribe == s.Sends || p.CanPublishData || g.Video.GetCanUpdateOwnMetadata() || g.Video.RoomAdmin {
			t.Errorf("%s: grant %+v with %v", s.Identity, g, p)
		}
		if want := map[netcheck.Way]sfu.Ways{netcheck.Any: 0, netcheck.Relay: sfu.Relay}[s.Way]; g.Ways != want {
			t.Errorf("%s: ways %v, want %v", s.Identity, g.Ways, want)
		}
		if _, err := spaces.Refresh(t.Context(), g); err != nil {
			t.Error(err)
		}
	}

	text := issue(sender)
	if _, err := meetings.Authorize(t.Context(), text); !errors.Is(err, wire.ErrUnauthorized) {
		t.Errorf("a meeting takes it: %v", err)
	}
	ofMeeting, err := meetings.Issue(guest)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := checks.Authorize(t.Context(), ofMeeting); !errors.Is(err, wire.ErrUnauthorized) {
		t.Errorf("a check takes a meeting's: %v", err)
	}
	// An API key that is called so opens nothing here.
	stranger, err := auth.NewAccessToken(checkIssuer, "secret-of-a-stranger").SetIdentity("sender").SetVideoGrant(&auth.VideoGrant{RoomJoin: true, Room: "c"}).ToJWT()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := spaces.Authorize(t.Context(), stranger); !errors.Is(err, wire.ErrUnauthorized) {
		t.Errorf("an API key's: %v", err)
	}
	g, err := spaces.Authorize(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	delete(running, "s")
	if _, err := spaces.Authorize(t.Context(), text); !errors.Is(err, wire.ErrUnauthorized) {
		t.Errorf("after the check: %v", err)
	}
	if _, err := spaces.Refresh(t.Context(), g); !errors.Is(err, wire.ErrUnauthorized) {
		t.Errorf("refreshed after the check: %v", err)
	}
	running["s"] = sender
	now = start.Add(46 * time.Second)
	if _, err := spaces.Authorize(t.Context(), text); !errors.Is(err, wire.ErrUnauthorized) {
		t.Errorf("after its time: %v", err)
	}
}
