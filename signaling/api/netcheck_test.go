package api_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"aparte/signaling/api"
	"aparte/signaling/netcheck"
)

func (s *server) seated(token string) (seat netcheck.Seat, alive bool) {
	s.t.Helper()
	g, err := s.checkTokens.Authorize(s.t.Context(), token)
	if err != nil {
		return netcheck.Seat{}, false
	}
	seat, _, err = s.checks.Seat(s.t.Context(), g.Room, g.ID)
	if err != nil && !errors.Is(err, netcheck.ErrOver) {
		s.t.Fatal(err)
	}
	return seat, err == nil
}

func TestWhoWaitsMayCheckTheNetwork(t *testing.T) {
	s := newStage(t)
	for name, who := range map[string]struct {
		by   *person
		path string
	}{"guest": {s.visitor, "/guest/network-check"}, "agent": {s.host, "/network-check"}} {
		t.Run(name, func(t *testing.T) {
			check := do[api.NetworkCheck](who.by, http.StatusOK, "POST", who.path, nil)
			var ways []string
			for _, r := range check.Receivers {
				ways = append(ways, r.Way)
			}
			if !slices.Equal(ways, []string{"any", "udp", "tcp"}) || !check.EndsAt.Equal(s.clock.Now().Add(45*time.Second)) {
				t.Fatalf("check %+v", check)
			}
			seat, alive := s.seated(check.Sender)
			if !alive || !seat.Sends {
				t.Fatalf("sender %+v, alive %v", seat, alive)
			}
			if _, err := s.tokens.Authorize(t.Context(), check.Sender); err == nil {
				t.Error("it opens a meeting")
			}
			again := do[api.NetworkCheck](who.by, http.StatusOK, "POST", who.path, nil)
			if _, alive := s.seated(check.Sender); alive {
				t.Error("two checks of one session run")
			}
			do[struct{}](who.by, http.StatusNoContent, "DELETE", who.path, nil)
			if _, alive := s.seated(again.Receivers[0].Token); alive {
				t.Error("runs after its end")
			}
			for range 3 {
				do[api.NetworkCheck](who.by, http.StatusOK, "POST", who.path, nil)
			}
			who.by.refused("too-many", http.StatusTooManyRequests, "POST", who.path, nil)
		})
	}
}

// The right to look at one's network ends with the session that gives it.
func TestWhoHasNoSessionChecksNoNetwork(t *testing.T) {
	s := newStage(t)
	s.person().refused("unauthenticated", http.StatusUnauthorized, "POST", "/network-check", nil)
	s.person().refused("unauthenticated", http.StatusUnauthorized, "POST", "/guest/network-check", nil)
	do[api.Meeting](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/end", nil)
	s.clock.add(25 * time.Hour)
	s.visitor.refused("unauthenticated", http.StatusUnauthorized, "POST", "/guest/network-check", nil)
}
