package congestion

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// camera is what three simulcast layers with three temporal layers take, as
// browsers send 180p, 360p and 720p.
func camera() Rates {
	return Rates{
		{60_000, 90_000, 150_000},
		{250_000, 350_000, 500_000},
		{800_000, 1_100_000, 1_700_000},
	}
}

// screen is a share with one layer.
func screen() Rates { return Rates{{300_000, 450_000, 600_000}} }

// plain has no temporal layers (H264).
func plain() Rates { return Rates{{150_000}, {500_000}, {1_700_000}} }

// text is "L2" for a whole layer, "L0T1" for less of the frames, "-" for nothing.
func (c Choice) text() string {
	switch {
	case c == Paused:
		return "-"
	case c.Temporal == MaxTemporals-1:
		return fmt.Sprintf("L%d", c.Layer)
	}
	return fmt.Sprintf("L%dT%d", c.Layer, c.Temporal)
}

func texts(w []Wish) string {
	var all []string
	for i := range w {
		all = append(all, w[i].Hold.Now.text())
	}
	return strings.Join(all, " ")
}

func wish(rank Rank, most int, r Rates) Wish {
	return Wish{Hold: &Hold{}, Rank: rank, Most: most, Rates: r}
}

// First decisions, by budget.
func TestShares(t *testing.T) {
	four := func() []Wish {
		return []Wish{wish(Rest, 2, camera()), wish(Speaker, 2, camera()), wish(Screen, 2, screen()), wish(Pinned, 2, camera())}
	}
	for _, c := range []struct {
		name   string
		wishes func() []Wish
		budget int64
		want   string
	}{
		{"enough for all", four, 8_000_000, "L2 L2 L0 L2"},
		{"the rest loses resolution first", four, 5_200_000, "L1 L2 L0 L2"},
		{"then the pinned one", four, 3_700_000, "L1 L2 L0 L1"},
		{"then the speaker: everyone low", four, 1_300_000, "L0 L0 L0 L0"},
		{"frames go before anyone is paused", four, 700_000, "L0T1 L0 L0T0 L0T1"},
		{"the rest is paused first", four, 480_000, "- L0T0 L0T0 L0T0"},
		{"what does not fit leaves room for what does", four, 250_000, "L0T0 L0T1 - L0T0"},
		{"only the speaker", four, 80_000, "- L0T0 - -"},
		{"nobody", four, 50_000, "- - - -"},
		{"a layer wanted at most", func() []Wish { return []Wish{wish(Rest, 1, camera()), wish(Rest, 0, camera())} }, 8_000_000, "L1 L0"},
		{"without temporal layers", func() []Wish { return []Wish{wish(Rest, 2, plain()), wish(Rest, 2, plain())} }, 900_000, "L1 L0"},
		{"equals rise in turn", func() []Wish { return []Wish{wish(Rest, 2, camera()), wish(Rest, 2, camera())} }, 2_500_000, "L2 L1"},
		{"the low layer does not come", func() []Wish {
			r := camera()
			r[0] = [MaxTemporals]int64{}
			return []Wish{wish(Rest, 0, r)}
		}, 8_000_000, "L1"},
		{"it does not come and there is little", func() []Wish {
			r := camera()
			r[0] = [MaxTemporals]int64{}
			return []Wish{wish(Rest, 2, r)}
		}, 300_000, "L1T0"},
	} {
		var a Allocator
		w := c.wishes()
		r := a.Decide(w, c.budget, false, time.Second)
		if got := texts(w); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if r.Used > c.budget {
			t.Errorf("%s: %d used of %d", c.name, r.Used, c.budget)
		}
	}
}

func TestUnlimitedGivesEverything(t *testing.T) {
	var a Allocator
	w := []Wish{wish(Rest, 2, camera()), wish(Rest, 2, Rates{})}
	if a.Decide(w, 0, true, 0); texts(w) != "L2 L2" {
		t.Fatal(texts(w))
	}
}

// A sequence of budgets over time: down at once, up with patience.
func TestHysteresis(t *testing.T) {
	type step struct {
		last   time.Duration
		budget int64
		want   string // at its end
	}
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"down at once, up after a second", []step{
			{100 * time.Millisecond, 2_000_000, "L2"},
			{100 * time.Millisecond, 600_000, "L1"},
			{100 * time.Millisecond, 100_000, "L0T1"},
			{pauseAfter, 50_000, "L0T0"},
			{200 * time.Millisecond, 50_000, "-"},
			{1700 * time.Millisecond, 2_000_000, "-"},
			{300 * time.Millisecond, 2_000_000, "L2"},
		}},
		{"what just fits is kept, not taken", []step{
			{100 * time.Millisecond, 600_000, "L1"},
			{10 * time.Second, 490_000, "L1"},
			{100 * time.Millisecond, 400_000, "L0"},
			{30 * time.Second, 520_000, "L0"},
			{5 * time.Second, 570_000, "L1"},
		}},
		{"a moment of plenty changes nothing", []step{
			{100 * time.Millisecond, 200_000, "L0"},
			{900 * time.Millisecond, 3_000_000, "L0"},
			{100 * time.Millisecond, 200_000, "L0"},
			{900 * time.Millisecond, 3_000_000, "L0"},
			{300 * time.Millisecond, 3_000_000, "L2"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var a Allocator
			w := []Wish{wish(Rest, 2, camera())}
			now := time.Second
			for i, s := range c.steps {
				for end := now + s.last; now < end; now += 100 * time.Millisecond {
					a.Decide(w, s.budget, false, now)
				}
				if got := texts(w); got != s.want {
					t.Fatalf("step %d: %s, want %s", i, got, s.want)
				}
			}
		})
	}
}

// Where there is room for all, a client that asks for a larger picture need not wait.
func TestAskingForMoreIsAnsweredAtOnce(t *testing.T) {
	var a Allocator
	w := []Wish{wish(Rest, 0, camera()), wish(Rest, 2, camera())}
	a.Decide(w, 3_400_000, false, time.Second)
	if texts(w) != "L0 L2" {
		t.Fatal(texts(w))
	}
	w[0].Most = 1
	if a.Decide(w, 3_400_000, false, 2*time.Second); texts(w) != "L1 L2" {
		t.Fatal(texts(w))
	}
	w[0].Most = 2
	if a.Decide(w, 3_400_000, false, 3*time.Second); texts(w) != "L1 L2" {
		t.Fatal("there is no room for both:", texts(w))
	}
}

// Whatever the budget does, steps up come ever more rarely when they fail.
func TestRelapsesGrowRare(t *testing.T) {
	var a Allocator
	w := []Wish{wish(Rest, 2, camera())}
	changes, now := 0, time.Second
	before := texts(w)
	for ; now < 121*time.Second; now += 100 * time.Millisecond {
		budget := int64(700_000) // looks well until the step up is taken
		if w[0].Hold.Now.Layer >= 1 {
			budget = 300_000
		}
		a.Decide(w, budget, false, now)
		if got := texts(w); got != before {
			changes++
			before = got
		}
	}
	if changes > 16 {
		t.Fatalf("%d changes in two minutes", changes)
	}
}

// A layer that comes or goes with the publisher is no reason to wait or to fall.
func TestLayersComeAndGo(t *testing.T) {
	var a Allocator
	w := []Wish{wish(Rest, 2, camera())}
	decide := func(now time.Duration) string {
		a.Decide(w, 3_400_000, false, now)
		return texts(w)
	}
	if got := decide(time.Second); got != "L2" {
		t.Fatal(got)
	}
	w[0].Rates[2] = [MaxTemporals]int64{}
	if got := decide(2 * time.Second); got != "L1" {
		t.Fatal(got)
	}
	w[0].Rates = Rates{} // muted
	if got := decide(3 * time.Second); got != "L1" {
		t.Fatal(got)
	}
	w[0].Rates = camera()
	w[0].Rates[0] = [MaxTemporals]int64{}
	w[0].Rates[1] = [MaxTemporals]int64{}
	if got := decide(4 * time.Second); got != "L2" {
		t.Fatal("the layer it had went, another is there:", got)
	}
}

func TestTellsWhatTheNextStepTakes(t *testing.T) {
	var a Allocator
	w := []Wish{wish(Rest, 2, camera()), wish(Speaker, 2, camera())}
	r := a.Decide(w, 400_000, false, time.Second)
	if texts(w) != "L0 L0" || r.Used != 300_000 || r.Most != 3_400_000 {
		t.Fatal(texts(w), r)
	}
	if want := int64(722_222); r.Next < want || r.Next > want+2 {
		t.Fatalf("next %d, want %d", r.Next, want)
	}
	a.Decide(w, 50_000, false, 2*time.Second)
	r = a.Decide(w, 50_000, false, 2*time.Second+pauseAfter)
	if want := int64(66_666); texts(w) != "- -" || r.Next < want || r.Next > want+2 {
		t.Fatal(texts(w), r)
	}
	if r = a.Decide(w, 0, true, 3*time.Second); r.Next != 0 {
		t.Fatal(r)
	}
}

func TestDecidingAllocatesNothing(t *testing.T) {
	var a Allocator
	var w []Wish
	for range 30 {
		w = append(w, wish(Rest, 2, camera()))
	}
	now := time.Second
	if n := testing.AllocsPerRun(100, func() {
		now += 100 * time.Millisecond
		a.Decide(w, int64(now/1000)%9_000_000, false, now)
	}); n != 0 {
		t.Fatal(n)
	}
}

func TestBucket(t *testing.T) {
	var b Bucket
	b.Refill(time.Second)
	b.Take(1 << 20)
	if !b.Allows() || b.Limited() {
		t.Fatal("no estimate, but a limit")
	}
	b.SetEstimate(4_000_000) // 6 Mbit/s, 30 kB at once
	n := 0
	for b.Allows() {
		b.Take(1000)
		n += 1000
	}
	if n != 30_000 {
		t.Fatalf("%d bytes at once, want 30,000", n)
	}
	b.Refill(time.Second + 10*time.Millisecond)
	for b.Allows() {
		b.Take(1000)
		n += 1000
	}
	if n < 37_000 || n > 38_000 {
		t.Fatalf("%d bytes after 10 ms, want 37,500", n)
	}
	b.Take(1 << 30) // audio and retransmissions do not ask
	b.Refill(time.Second + 100*time.Millisecond)
	if !b.Allows() {
		t.Fatal("in debt for ever")
	}
	b.SetEstimate(0)
	if !b.Allows() {
		t.Fatal("the limit was not lifted")
	}
}

func TestProber(t *testing.T) {
	var p Prober
	now := time.Second
	if _, ok := p.Want(500_000, 400_000, 1_000_000, now); ok {
		t.Fatal("probed for what is there")
	}
	bps, ok := p.Want(100_000, 600_000, 2_000_000, now)
	if !ok || bps != 300_000 {
		t.Fatal("three times the estimate at most", bps, ok)
	}
	if _, ok := p.Want(100_000, 600_000, 2_000_000, now); ok {
		t.Fatal("two at a time")
	}
	if !p.Done(300_000, now) {
		t.Fatal("all of it is success")
	}
	now += probeSoon
	if bps, ok = p.Want(300_000, 600_000, 2_000_000, now); !ok || bps != 750_000 {
		t.Fatal("a little beyond what is wanted", bps, ok)
	}
	for _, pause := range []time.Duration{probeLater, 2 * probeLater, probeLatest, probeLatest} {
		if p.Done(100_000, now) {
			t.Fatal("success")
		}
		if _, ok := p.Want(290_000, 600_000, 2_000_000, now+pause-1); ok {
			t.Fatal("too soon", pause)
		}
		now += pause
		if _, ok := p.Want(290_000, 600_000, 2_000_000, now); !ok {
			t.Fatal("not after", pause)
		}
	}
}

// A probe that always shows a little less than it aims at still comes to what is wanted.
func TestProbesThatFallShortAimHigher(t *testing.T) {
	for _, shows := range []float64{1, 0.95, 0.9, 0.85, 0.81} {
		var p Prober
		const need, most = 1_200_000, 1_000_000
		estimate := int64(700_000)
		for now, tries := time.Second, 0; estimate < need; now, tries = now+probeSoon, tries+1 {
			bps, ok := p.Want(estimate, need, most, now)
			if !ok || tries > 3 {
				t.Fatalf("probes that show %v: %d after %d tries", shows, estimate, tries)
			}
			measured := int64(shows * float64(bps))
			p.Done(measured, now)
			estimate = max(estimate, measured)
		}
	}
}
