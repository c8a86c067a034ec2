package congestion

import (
	"math/rand/v2"
	"testing"
	"time"
)

func within(t *testing.T, what string, got, low, high int64) {
	t.Helper()
	if got < low || got > high {
		t.Errorf("%s: %d bit/s, want %d to %d", what, got, low, high)
	}
}

func TestNothingIsKnownBeforeFeedback(t *testing.T) {
	e := NewEstimator()
	e.Sent(1, 1200, time.Second)
	if bps, known := e.Estimate(2 * time.Second); known {
		t.Fatal(bps)
	}
}

// What is sent follows the estimate: it must find a capacity and stay near it.
func TestFollowsCapacity(t *testing.T) {
	for _, capacity := range []int64{150_000, 300_000, 1_000_000, 3_000_000} {
		l := newLink(capacity)
		greedy := func() int64 { return max(l.estimate(), 100_000) }
		l.run(40*time.Second, greedy)
		var low, high int64 = 1 << 40, 0
		dropped := l.dropped
		l.run(20*time.Second, func() int64 {
			low, high = min(low, l.estimate()), max(high, l.estimate())
			return greedy()
		})
		within(t, "lowest", low, capacity*6/10, capacity)
		within(t, "highest", high, capacity*7/10, capacity*13/10)
		if l.dropped-dropped > 20 {
			t.Errorf("%d: %d packets overflowed the queue", capacity, l.dropped-dropped)
		}
	}
}

func TestFallsWithCapacity(t *testing.T) {
	l := newLink(2_000_000)
	l.run(20*time.Second, func() int64 { return l.estimate() })
	for _, capacity := range []int64{300_000, 80_000} {
		l.capacity = capacity
		took := time.Duration(0)
		for begun := l.now; l.estimate() > capacity*105/100 && took < 10*time.Second; took = l.now - begun {
			l.run(33*time.Millisecond, func() int64 { return l.estimate() })
		}
		if took >= 4*time.Second { // 64 kB stand in the queue: more than that takes to drain
			t.Errorf("%v until the estimate was below %d", took, capacity)
		}
		l.run(10*time.Second, func() int64 { return l.estimate() })
		within(t, "afterwards", l.estimate(), capacity/2, capacity*12/10)
	}
}

// A path that loses packets of its own (radio) is no congestion up to a point.
func TestRandomLossIsNoCongestion(t *testing.T) {
	for _, percent := range []int{4, 9, 14} {
		l := newLink(2_000_000)
		random := rand.New(rand.NewPCG(1, 2))
		l.drop = func(uint16) bool { return random.IntN(100) < percent }
		l.run(30*time.Second, func() int64 { return min(l.estimate(), 800_000) })
		within(t, "with losses", l.estimate(), 700_000, 2_500_000)
	}
}

// A queue too short to show any delay is seen by its losses.
func TestLossAloneLimits(t *testing.T) {
	l := newLink(500_000)
	l.queue = 3000
	l.run(20*time.Second, func() int64 { return l.estimate() })
	within(t, "shallow queue", l.estimate(), 150_000, 650_000)
}

// Sending little proves little: the estimate does not rise far above it, and does
// not fall either.
func TestApplicationLimited(t *testing.T) {
	l := newLink(5_000_000)
	l.run(20*time.Second, func() int64 { return 200_000 })
	within(t, "with 200 kbit/s", l.estimate(), 900_000, 1_100_000)
	l.e.delay.bps = 100_000
	l.e.loss.bps = 100_000
	l.run(30*time.Second, func() int64 { return 200_000 })
	within(t, "risen", l.estimate(), 200_000, 330_000)
}

func TestProbes(t *testing.T) {
	for _, c := range []struct {
		name          string
		capacity, bps int64
		low, high     int64
	}{
		{"room for all of it", 3_000_000, 1_000_000, 900_000, 1_300_000},
		{"a full path", 600_000, 1_200_000, 480_000, 640_000},
	} {
		l := newLink(c.capacity)
		l.run(3*time.Second, func() int64 { return 200_000 })
		l.e.delay.bps, l.e.loss.bps = 250_000, 250_000
		got := l.probe(c.bps)
		within(t, c.name, got, c.low, c.high)
		if l.estimate() != got {
			t.Errorf("%s: the estimate is %d after a probe that showed %d", c.name, l.estimate(), got)
		}
	}
}

// Probes above what a path carries, with media below it: the estimate must not
// fall below the media because of them.
func TestProbesDoNoHarm(t *testing.T) {
	l := newLink(300_000)
	rate := func() int64 { return 220_000 }
	l.run(5*time.Second, rate)
	l.e.delay.bps, l.e.loss.bps = 260_000, 260_000
	lowest := l.estimate()
	for range 8 {
		l.probe(600_000)
		l.run(4*time.Second, func() int64 {
			lowest = min(lowest, l.estimate())
			return rate()
		})
	}
	within(t, "lowest", lowest, 230_000, 320_000)
}

func TestProbeThatIsLostEnds(t *testing.T) {
	l := newLink(1_000_000)
	l.run(2*time.Second, func() int64 { return 200_000 })
	before := l.estimate()
	l.drop = func(uint16) bool { return true }
	if got := l.probe(2_000_000); got != 0 || l.estimate() > before {
		t.Fatal(got, l.estimate())
	}
}

// Nothing comes back although much is sent: the estimate falls by halves.
func TestOutage(t *testing.T) {
	l := newLink(2_000_000)
	l.run(5*time.Second, func() int64 { return 500_000 })
	before := l.estimate()
	l.drop = func(uint16) bool { return true }
	l.run(5*time.Second, func() int64 { return 500_000 })
	within(t, "after 5 s of nothing", l.estimate(), before/32, before/4)
	// Silence on our side says nothing.
	l = newLink(2_000_000)
	l.run(5*time.Second, func() int64 { return 500_000 })
	before = l.estimate()
	l.run(time.Minute, func() int64 { return 0 })
	if l.estimate() != before {
		t.Errorf("%d became %d while nothing was sent", before, l.estimate())
	}
}

func TestREMBCountsOnlyWithoutFeedback(t *testing.T) {
	e := NewEstimator()
	e.REMB(700_000, 10*time.Second)
	if bps, known := e.Estimate(11 * time.Second); !known || bps != 700_000 || e.ByFeedback() {
		t.Fatal(bps, known)
	}
	if bps, known := e.Estimate(16 * time.Second); known {
		t.Fatal("a REMB counts for ever", bps)
	}
	l := newLink(2_000_000)
	l.run(time.Second, func() int64 { return 500_000 })
	l.e.REMB(50_000, l.now)
	if l.estimate() < 900_000 {
		t.Fatal("REMB was believed beside feedback", l.estimate())
	}
}

// The receiver's reference time wraps after twelve days.
func TestReferenceTimeWraps(t *testing.T) {
	e := NewEstimator()
	at := wrapAfter - 500*time.Millisecond
	for i := range 60 {
		now := time.Second + time.Duration(i)*20*time.Millisecond
		e.Sent(uint16(i), 1200, now)
		f := Feedback{Arrivals: []Arrival{{Seq: uint16(i), Received: true, At: (at + time.Duration(i)*20*time.Millisecond) % wrapAfter}}}
		e.Feedback(&f, now+30*time.Millisecond)
	}
	if got := e.arrivals.bps(); got < 450_000 || got > 500_000 {
		t.Fatalf("%d bit/s arrived, want 480,000", got)
	}
}

func TestHotPathAllocatesNothing(t *testing.T) {
	e := NewEstimator()
	f := Feedback{Arrivals: make([]Arrival, 0, 64)}
	seq, now := uint16(0), time.Second
	if n := testing.AllocsPerRun(200, func() {
		f.Arrivals = f.Arrivals[:0]
		for range 50 {
			seq++
			now += time.Millisecond
			e.Sent(seq, 1200, now)
			f.Arrivals = append(f.Arrivals, Arrival{Seq: seq, Received: true, At: now})
		}
		e.Feedback(&f, now)
		e.Tick(now)
	}); n != 0 {
		t.Fatalf("%v allocations for 50 packets and their feedback", n)
	}
}

// The receiver's clock is set, or its machine slept: the path is what it was.
func TestClockStepsAreNoQueue(t *testing.T) {
	for _, step := range []time.Duration{200 * time.Millisecond, time.Second, 2900 * time.Millisecond, time.Minute, -time.Second} {
		l := newLink(3_000_000)
		rate := func() int64 { return 1_500_000 }
		l.run(20*time.Second, rate)
		lowest := l.estimate()
		before := lowest
		for range 3 {
			l.skew += step
			l.run(8*time.Second, func() int64 {
				lowest = min(lowest, l.estimate())
				return rate()
			})
		}
		if lowest < before*95/100 {
			t.Errorf("a step of %v: %d became %d", step, before, lowest)
		}
	}
}

// A busy receiver looks at its packets now and then only. What came is there all the
// same, and nothing that is sent may be given up for it.
func TestBusyReceiversAreNoQueue(t *testing.T) {
	for _, rate := range []int64{130_000, 250_000, 500_000, 5_000_000} {
		for _, c := range []struct {
			pause time.Duration
			oneIn int
		}{
			{30 * time.Millisecond, 10},
			{80 * time.Millisecond, 10},
			{150 * time.Millisecond, 10},
			{40 * time.Millisecond, 1},
			{100 * time.Millisecond, 1},
			{500 * time.Millisecond, 100},
			{1500 * time.Millisecond, 400},
		} {
			random := rand.New(rand.NewPCG(3, 4))
			l := newLink(100_000_000)
			until := time.Duration(0)
			calm := true
			l.stall = func(at time.Duration) time.Duration {
				if at > until && !calm && random.IntN(c.oneIn) == 0 {
					until = at + time.Duration(random.Int64N(int64(c.pause)))
				}
				return max(at, until)
			}
			send := func() int64 { return rate }
			l.run(10*time.Second, send)
			calm = false
			lowest := l.estimate()
			before := lowest
			l.run(2*time.Minute, func() int64 {
				lowest = min(lowest, l.estimate())
				return send()
			})
			if lowest < Roomy(rate) {
				t.Errorf("%d bit/s, pauses of %v: the estimate fell to %d, %+v", rate, c.pause, lowest, l.e.Stats())
			}
			calm = true
			l.run(5*time.Second, send)
			if got := l.estimate(); got < before*9/10 {
				t.Errorf("%d bit/s, pauses of %v: the estimate stayed at %d of %d, %+v", rate, c.pause, got, before, l.e.Stats())
			}
		}
	}
}

// When ICE restarts, what was on its way is lost; the path is not full for that.
func TestReroutingIsNoLoss(t *testing.T) {
	l := newLink(3_000_000)
	rate := func() int64 { return 800_000 }
	l.run(10*time.Second, rate)
	before := l.estimate()
	l.drop = func(uint16) bool { return true }
	l.run(time.Second, rate)
	l.drop = nil
	l.e.Rerouted(l.now)
	lowest := before
	l.run(10*time.Second, func() int64 {
		lowest = min(lowest, l.estimate())
		return rate()
	})
	if lowest < before {
		t.Errorf("%d became %d", before, lowest)
	}
}

// The last packets before a silence may be lost; that is no outage.
func TestSilenceAfterLossIsNoOutage(t *testing.T) {
	l := newLink(2_000_000)
	l.run(5*time.Second, func() int64 { return 500_000 })
	before := l.estimate()
	l.drop = func(uint16) bool { return true }
	for range outageLeast - 1 {
		l.send(100)
	}
	l.run(time.Minute, func() int64 { return 0 })
	if l.estimate() != before || l.e.Stats().Outages != 0 {
		t.Errorf("%d became %d", before, l.estimate())
	}
}
