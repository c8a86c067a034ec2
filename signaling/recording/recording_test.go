package recording

import (
	"errors"
	"slices"
	"testing"
	"time"
)

var noon = time.Date(2027, 3, 2, 12, 0, 0, 0, time.UTC)

// What can be done in each state, and what comes of it.
func TestStates(t *testing.T) {
	acts := []struct {
		name string
		do   func(Recording) (Recording, error)
		to   map[State]State // what is not here is refused
	}{
		{"start", func(r Recording) (Recording, error) { return r.Start(noon) }, map[State]State{Asking: Running}},
		{"pause", Recording.Pause, map[State]State{Running: Paused, Paused: Paused}},
		{"resume", Recording.Resume, map[State]State{Running: Running, Paused: Running, Interrupted: Running}},
		{"stop", func(r Recording) (Recording, error) { return r.Stop(ByHost, noon) }, map[State]State{Asking: Stopped, Running: Stopping, Paused: Stopping, Interrupted: Stopped}},
		{"answer", func(r Recording) (Recording, error) {
			r, _, err := r.Answered("p", "P", Agreed, noon)
			return r, err
		}, map[State]State{Asking: Asking, Running: Running, Paused: Paused, Interrupted: Interrupted}},
		{"interrupt", func(r Recording) (Recording, error) { return r.Interrupt(Crashed), nil }, map[State]State{
			Asking: Asking, Running: Interrupted, Paused: Interrupted, Interrupted: Interrupted, Stopping: Stopping, Stopped: Stopped,
		}},
		{"close", func(r Recording) (Recording, error) { return r.Close(Summary{Bytes: 1}), nil }, map[State]State{
			Asking: Asking, Running: Running, Paused: Paused, Interrupted: Interrupted, Stopping: Stopped, Stopped: Stopped,
		}},
	}
	for _, act := range acts {
		for _, from := range []State{Asking, Running, Paused, Interrupted, Stopping, Stopped} {
			after, err := act.do(Recording{State: from, Part: 1})
			want, may := act.to[from]
			if may != (err == nil) || may && after.State != want || !may && (after.State != from || !errors.Is(err, ErrState)) {
				t.Errorf("%s when %s: %s, %v; want %s", act.name, from, after.State, err, want)
			}
			if want := 1 + map[bool]int{true: 1}[act.name == "resume" && from == Interrupted]; act.name != "start" && after.Part != want {
				t.Errorf("%s when %s: part %d, want %d", act.name, from, after.Part, want)
			}
		}
	}
}

// What an answer counts as, after others.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		said []Answer
		want Answer
	}{
		{[]Answer{Agreed}, Agreed},
		{[]Answer{Declined}, Declined},
		{[]Answer{Withdrawn}, Declined}, // of what was never given
		{[]Answer{Agreed, Declined}, Withdrawn},
		{[]Answer{Agreed, Withdrawn}, Withdrawn},
		{[]Answer{Agreed, Withdrawn, Declined}, Withdrawn},
		{[]Answer{Declined, Agreed}, Agreed},
		{[]Answer{Agreed, Withdrawn, Agreed}, Agreed},
		{[]Answer{"", "yes"}, Declined}, // whatever is no yes
	} {
		r := Recording{State: Running}
		for _, said := range c.said {
			var got Consent
			var err error
			if r, got, err = r.Answered("p", "P", said, noon); err != nil || got.Person != "p" {
				t.Fatal(got, err)
			}
		}
		if got, _ := r.Of("p"); got.Answer != c.want || r.Has("p") != (c.want == Agreed) || len(r.Consents) != 1 {
			t.Errorf("%v: %+v, want %s", c.said, r.Consents, c.want)
		}
	}
	r := Recording{State: Running, Consents: []Consent{{Answer: Agreed}}}
	if r.Has("") || r.Has("q") {
		t.Error("nobody has agreed")
	}
}

// Nobody is in a recording who has not agreed, or while it does not run.
func TestInclude(t *testing.T) {
	for _, state := range []State{Asking, Running, Paused, Interrupted, Stopping, Stopped} {
		for _, answer := range []Answer{Agreed, Declined, Withdrawn} {
			r := Recording{State: state, Consents: []Consent{{Person: "p", Answer: answer}}}
			after, _, in := r.Include("p")
			if want := state == Running && answer == Agreed; in != want || after.Consents[0].Recorded != want || r.Consents[0].Recorded {
				t.Errorf("%s when %s: %t", answer, state, in)
			}
			if _, _, again := after.Include("p"); again {
				t.Error("twice")
			}
		}
	}
	if _, _, in := (Recording{State: Running}).Include("q"); in {
		t.Error("who said nothing is in")
	}
}

func TestExpiry(t *testing.T) {
	r := Recording{State: Running, KeepDays: 30, StartedAt: noon}
	if !r.ExpiresAt().IsZero() {
		t.Error("expires while it runs")
	}
	r, _ = r.Stop(ByHost, noon)
	if got := r.ExpiresAt(); !got.Equal(noon.AddDate(0, 0, 30)) {
		t.Errorf("expires at %s", got)
	}
	if slices.Contains([]State{Asking, Running, Paused, Interrupted}, r.State) {
		t.Error(r.State)
	}
}
