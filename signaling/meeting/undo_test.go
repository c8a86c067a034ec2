package meeting_test

import (
	"encoding/json"
	"errors"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aparte/signaling/lobby"
	"aparte/signaling/meeting"
)

// overheard is a call that keeps everything it is told.
type overheard struct {
	board
	told []string // topic and payload, in order
}

func (o *overheard) Tell(_, topic string, payload []byte, _ ...string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told = append(o.told, topic+" "+string(payload))
	return true
}

// heard is what was told since the last time.
func (o *overheard) heard() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := strings.Join(o.told, "\n")
	o.told = nil
	return all
}

// shown is what everybody in the call sees of each and of the call.
func (o *overheard) shown() (map[string]string, meeting.CallState) {
	o.mu.Lock()
	defer o.mu.Unlock()
	hands := make(map[string]string)
	for identity, a := range o.attributes {
		if a["aparte.hand"] != "" {
			hands[identity] = a["aparte.hand"]
		}
	}
	var state meeting.CallState
	_ = json.Unmarshal([]byte(o.state), &state)
	return hands, state
}

// inOneBatch has acts be done in one batch, in order, which cannot be stored, and returns
// what each was answered.
func (h *house) inOneBatch(acts ...func() error) []error {
	h.t.Helper()
	hold := make(chan struct{})
	saves := h.store.saves.Load()
	h.store.failSave.Store(true)
	h.store.hold = hold
	until := func(ok func() bool) {
		for !ok() {
			runtime.Gosched()
		}
	}
	var all sync.WaitGroup
	all.Go(func() { _ = h.Lock(h.t.Context(), anne, h.id, true) }) // while it is being stored the others gather
	until(func() bool { return h.store.saves.Load() > saves })
	answers := make([]error, len(acts))
	for i, act := range acts {
		all.Go(func() { answers[i] = act() })
		until(func() bool { return h.Queued(h.id) == i+1 })
	}
	close(hold)
	all.Wait()
	h.store.hold = nil
	h.store.failSave.Store(false)
	return answers
}

// What was said and shown in a batch that cannot be stored was never said nor shown, to
// anybody, nor does it come up later.
func TestABatchThatCannotBeStoredIsTakenBack(t *testing.T) {
	now := new(clock)
	call := new(overheard)
	h := newHouse(t, func(c *meeting.Config) { c.Media, c.Now = call, now.now })
	var in []meeting.InCall
	var identities []string
	enter := h.link()
	for _, called := range []string{"Inês", "Rui", "Olga", "Nils", "Ana", "Jan"} {
		c := enter()
		h.knock(c, called)
		if _, err := h.AdmitAll(t.Context(), anne, h.id, nil); err != nil {
			t.Fatal(err)
		}
		g, err := h.Claim(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		h.Joined(h.id, g.Identity, "PA_"+called)
		in, identities = append(in, meeting.AsGuest(c)), append(identities, g.Identity)
	}
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(second(h.Say(ctx, in[0], "Before", meeting.ToEveryone)))
	must(h.RaiseHand(ctx, in[0]))
	must(second(h.StartTimer(ctx, anne, h.id, 5*time.Minute)))
	for i := range 11 { // ten packets go at once; the last reaction waits
		must(h.React(ctx, in[i/2], "applause"))
	}
	if got := call.heard(); strings.Count(got, "aparte.reaction") != 10 || strings.Contains(got, identities[5]) {
		t.Fatalf("before, the call was told %s", got)
	}
	hands, state := call.shown()

	// Twice: at once, when a reaction would wait, and later, when those that wait would go.
	for i, later := range []time.Duration{0, 600 * time.Millisecond} {
		now.pass(later)
		answers := h.inOneBatch(
			func() error { return second(h.Say(ctx, in[1], "Never to all", meeting.ToEveryone)) },
			func() error { return second(h.Say(ctx, in[1], "Never to one", identities[0])) },
			func() error { return h.RaiseHand(ctx, in[1]) },
			func() error { return h.LowerHand(ctx, anne, h.id, identities[0]) },
			func() error { return second(h.StartTimer(ctx, anne, h.id, time.Hour)) },
			func() error { return h.React(ctx, in[5-i], "disagree") },
			func() error { return second(h.Permit(ctx, anne, h.id, identities[2], lobby.Everything())) },
			func() error { return h.Lock(ctx, anne, h.id, true) }, // is to be stored
		)
		for i, err := range answers {
			if !errors.Is(err, meeting.ErrUnavailable) || errors.Is(err, meeting.ErrNotStored) {
				t.Errorf("act %d was answered %v", i, err)
			}
		}
		if got := call.heard(); got != "" {
			t.Errorf("the call was told %s", got)
		}
		if handsNow, stateNow := call.shown(); !maps.Equal(handsNow, hands) || !stateNow.Timer.EndsAt.Equal(state.Timer.EndsAt) || stateNow.Locked {
			t.Errorf("the call sees hands %v and %+v, want %v and %+v", handsNow, stateNow, hands, state)
		}
		for i, who := range in {
			said, err := h.Said(ctx, who)
			must(err)
			for _, m := range said.Messages {
				if m.Text != "Before" {
					t.Errorf("%s reads %q", identities[i], m.Text)
				}
			}
		}
	}

	// What follows is numbered and told as if it had never been.
	now.pass(600 * time.Millisecond)
	m, err := h.Say(ctx, in[1], "After", meeting.ToEveryone)
	must(err)
	must(h.RaiseHand(ctx, in[1]))
	if handsNow, _ := call.shown(); m.Seq != 2 || handsNow[identities[0]] != "1" || handsNow[identities[1]] != "2" {
		t.Errorf("message %d, hands %v", m.Seq, handsNow)
	}
	call.heard()
	must(h.React(ctx, in[0], "smile"))
	if got := call.heard(); !strings.Contains(got, "smile") || strings.Contains(got, "disagree") || !strings.Contains(got, identities[5]+`","reaction":"applause"`) {
		t.Errorf("of reactions the call is told %s", got)
	}
	if said, err := h.Said(ctx, in[0]); err != nil || !slices.EqualFunc(said.Messages, []string{"Before", "After"}, func(m meeting.Message, text string) bool { return m.Text == text }) {
		t.Errorf("in the end %v, %v", said.Messages, err)
	}
}
