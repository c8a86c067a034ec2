package meeting_test

import (
	"encoding/json"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aparte/signaling/lobby"
	"aparte/signaling/meeting"
)

// board is what those in a call are told about each other and the call.
type board struct {
	call
	attributes map[string]map[string]string
	state      string
}

func (b *board) SetAttributes(_, identity string, attributes map[string]string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.attributes == nil {
		b.attributes = make(map[string]map[string]string)
	}
	if b.attributes[identity] == nil {
		b.attributes[identity] = make(map[string]string)
	}
	maps.Copy(b.attributes[identity], attributes)
	return true
}

func (b *board) Describe(_, metadata string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state = metadata
	return true
}

// forget is what a call does when somebody has left.
func (b *board) forget(identity string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.attributes, identity)
}

func (b *board) of(identity, attribute string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.attributes[identity][attribute]
}

func TestHandsKeepTheirOrder(t *testing.T) {
	var passed atomic.Int64 // since start
	told := new(board)
	h := newHouse(t, func(c *meeting.Config) {
		c.Media, c.Now = told, func() time.Time { return start.Add(time.Duration(passed.Load())) }
	})
	enter := h.link()
	type one struct {
		caller   meeting.Caller
		identity string
	}
	come := func(called string) one {
		t.Helper()
		c := enter()
		h.knock(c, called)
		for _, k := range h.knocks() {
			if k.Status == lobby.Waiting {
				if _, err := h.Admit(t.Context(), anne, h.id, k.ID, lobby.Everything()); err != nil {
					t.Fatal(err)
				}
			}
		}
		g, err := h.Claim(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		h.Joined(h.id, g.Identity, "PA_"+called)
		return one{c, g.Identity}
	}
	ines, rui := come("Inês"), come("Rui")
	raise := func(who one) {
		t.Helper()
		if err := h.RaiseHand(t.Context(), meeting.AsGuest(who.caller)); err != nil {
			t.Fatal(err)
		}
	}
	want := func(what, ofInes, ofRui string) {
		t.Helper()
		h.settled()
		if a, b := told.of(ines.identity, "aparte.hand"), told.of(rui.identity, "aparte.hand"); a != ofInes || b != ofRui {
			t.Errorf("%s: hands %q and %q, want %q and %q", what, a, b, ofInes, ofRui)
		}
	}
	raise(rui)
	raise(ines)
	raise(rui)
	want("raised", "2", "1")

	h.Left(h.id, rui.identity, "PA_Rui")
	h.settled()
	passed.Add(int64(50 * time.Second))
	told.forget(rui.identity)
	h.Joined(h.id, rui.identity, "PA_again")
	h.settled()
	if err := h.LowerOwnHand(t.Context(), meeting.AsGuest(ines.caller)); err != nil {
		t.Fatal(err)
	}
	raise(ines)
	want("after a reload, and down and up again", "3", "1")

	h.Left(h.id, rui.identity, "PA_again")
	h.settled()
	passed.Add(int64(2 * time.Minute))
	told.forget(rui.identity)
	h.Joined(h.id, rui.identity, "PA_late")
	raise(ines)
	want("after having left", "3", "")

	raise(rui)
	if err := h.LowerHand(t.Context(), anne, h.id, ines.identity); err != nil {
		t.Fatal(err)
	}
	want("one lowered", "", "4")
	if err := h.LowerHands(t.Context(), anne, h.id); err != nil {
		t.Fatal(err)
	}
	want("all lowered", "", "")
}

func TestTheTimerIsInTheStateOfTheCall(t *testing.T) {
	told := new(board)
	h := newHouse(t, func(c *meeting.Config) { c.Media = told })
	if _, err := h.StartTimer(t.Context(), anne, h.id, 5*time.Minute); err != nil {
		t.Fatal(err)
	}
	var state meeting.CallState
	if err := json.Unmarshal([]byte(told.state), &state); err != nil || state.Timer == nil || !state.Timer.EndsAt.Equal(start.Add(5*time.Minute)) || state.Timer.StartedBy != anne.Name {
		t.Errorf("the call is told %s, %v", told.state, err)
	}
	if err := h.StopTimer(t.Context(), anne, h.id); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(told.state, "timer") {
		t.Errorf("after the end the call is told %s", told.state)
	}
}
