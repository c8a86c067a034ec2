package netcheck

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/signaling/throttle"
)

// world is a clock and the rooms that were closed.
type world struct {
	now    time.Time
	closed []string
}

func (w *world) CloseRoom(room string, _ livekit.DisconnectReason) bool {
	w.closed = append(w.closed, room)
	return true
}

func (w *world) checks(l Limits) *Checks {
	w.now = time.Date(2027, 3, 2, 9, 0, 0, 0, time.UTC)
	return New(Config{Rooms: w, Ways: []Way{UDP, Relay}, Now: func() time.Time { return w.now }, Limits: l})
}

func begin(t *testing.T, c *Checks, session, source string) Check {
	t.Helper()
	made, err := c.Begin(session, source)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func alive(t *testing.T, c *Checks, s Seat) bool {
	t.Helper()
	got, _, err := c.Seat(t.Context(), s.Room, s.ID)
	if err != nil && !errors.Is(err, ErrOver) {
		t.Fatal(err)
	}
	if err == nil && got != s {
		t.Errorf("looked up %+v, want %+v", got, s)
	}
	return err == nil
}

func TestACheckIsARoomOfItsOwn(t *testing.T) {
	var w world
	c := w.checks(Limits{})
	a, b := begin(t, c, "a", "x"), begin(t, c, "b", "x")
	if a.Sender.Room == b.Sender.Room {
		t.Error("two sessions share a room")
	}
	var ways []Way
	for _, s := range a.Receivers {
		ways = append(ways, s.Way)
		if s.Sends || s.Room != a.Sender.Room || !alive(t, c, s) {
			t.Errorf("receiver %+v", s)
		}
	}
	if !slices.Equal(ways, []Way{Any, UDP, Relay}) || !a.Sender.Sends || !alive(t, c, a.Sender) {
		t.Errorf("ways %v, sender %+v", ways, a.Sender)
	}
	elsewhere := a.Sender
	elsewhere.Room = b.Sender.Room
	if alive(t, c, elsewhere) {
		t.Error("a seat is good in another room")
	}
}

func TestACheckEnds(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(w *world, c *Checks)
	}{
		{"when its client says so", func(_ *world, c *Checks) { c.End("a") }},
		{"when its client begins another", func(_ *world, c *Checks) { _, _ = c.Begin("a", "x") }},
		{"in the end", func(w *world, c *Checks) { w.now = w.now.Add(45 * time.Second); c.Sweep() }},
		{"in the end, when another one asks", func(w *world, c *Checks) { w.now = w.now.Add(45 * time.Second); _, _ = c.Begin("b", "y") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var w world
			c := w.checks(Limits{})
			made := begin(t, c, "a", "x")
			w.now = w.now.Add(44 * time.Second)
			if c.Sweep(); len(w.closed) > 0 || !alive(t, c, made.Sender) {
				t.Fatalf("over early: %v", w.closed)
			}
			w.now = w.now.Add(-44 * time.Second)
			tt.end(&w, c)
			if !slices.Equal(w.closed, []string{made.Sender.Room}) {
				t.Errorf("closed %v", w.closed)
			}
			for _, s := range append(made.Receivers, made.Sender) {
				if alive(t, c, s) {
					t.Errorf("%+v is good still", s)
				}
			}
			c.End("a") // once more changes nothing for others
		})
	}
}

// Nobody has to sweep for a token to be refused.
func TestATokenEndsOnTime(t *testing.T) {
	var w world
	c := w.checks(Limits{})
	made := begin(t, c, "a", "x")
	w.now = made.Ends
	if alive(t, c, made.Sender) {
		t.Error("good at its end")
	}
}

func TestChecksAreBounded(t *testing.T) {
	var w world
	c := w.checks(Limits{AtOnce: 4, Rate: throttle.Rate{Every: time.Minute, Burst: 2}})
	for i := range 2 {
		begin(t, c, fmt.Sprint("crowd", i), "one source")
	}
	if _, err := c.Begin("crowd2", "one source"); !errors.Is(err, ErrBusy) {
		t.Errorf("more than half for one source: %v", err)
	}
	begin(t, c, "a", "x")
	begin(t, c, "b", "y")
	if _, err := c.Begin("c", "z"); !errors.Is(err, ErrBusy) {
		t.Errorf("a fifth: %v", err)
	}
	begin(t, c, "a", "x") // in place of its own
	var often *TooOftenError
	if _, err := c.Begin("a", "x"); !errors.As(err, &often) || often.Wait <= 0 || often.Wait > time.Minute {
		t.Errorf("a third of one session: %v", err)
	}
	c.End("b")
	begin(t, c, "c", "z")
	if len(c.running) > 4 || len(c.seats) > 4*4 {
		t.Errorf("%d run, %d seats", len(c.running), len(c.seats))
	}
}
