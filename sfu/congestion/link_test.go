package congestion

import "time"

// link is a path of one bottleneck: so many bits per second, a queue of bytes that
// drops at its tail, and a delay. It answers with feedback every 50 ms. Time is
// whatever step says.
type link struct {
	e        *Estimator
	capacity int64 // bps
	queue    int   // bytes at most
	delay    time.Duration
	drop     func(seq uint16) bool // losses of the path's own

	skew  time.Duration                        // by which the receiver's clock was set forward
	stall func(at time.Duration) time.Duration // when a busy receiver looks at what came

	now     time.Duration
	seq     uint16
	free    time.Duration // when the bottleneck is free again
	arrived map[uint16]time.Duration
	base    uint16 // first number not reported
	fbAt    time.Duration
	back    []report
	dropped int
}

type report struct {
	at time.Duration
	f  Feedback
}

func newLink(capacity int64) *link {
	return &link{
		e: NewEstimator(), capacity: capacity, queue: 64 << 10, delay: 20 * time.Millisecond,
		now: time.Second, arrived: map[uint16]time.Duration{}, base: 1,
	}
}

// send puts a packet on the way.
func (l *link) send(size int) {
	l.seq++
	l.e.Sent(l.seq, size, l.now)
	start := max(l.free, l.now)
	if backlog := int64(start-l.now) * l.capacity / 8 / int64(time.Second); backlog+int64(size) > int64(l.queue) || l.drop != nil && l.drop(l.seq) {
		l.dropped++
		return
	}
	l.free = start + time.Duration(int64(size)*8*int64(time.Second)/l.capacity)
	l.arrived[l.seq] = l.free + l.delay
	if l.stall != nil {
		l.arrived[l.seq] = l.stall(l.free + l.delay)
	}
}

// step lets a millisecond pass.
func (l *link) step() {
	l.now += time.Millisecond
	if l.now-l.fbAt >= 50*time.Millisecond {
		l.fbAt = l.now
		l.report()
	}
	for len(l.back) > 0 && l.back[0].at <= l.now {
		l.e.Feedback(&l.back[0].f, l.now)
		l.back = l.back[1:]
	}
	if l.now%(100*time.Millisecond) == 0 {
		if l.e.heard && !l.e.settled && l.now > 2*time.Second {
			l.e.proven = StartBps // without probes
			l.e.Settle(l.now)
		}
		l.e.Tick(l.now)
	}
}

// report speaks of everything up to the last packet that has come.
func (l *link) report() {
	var f Feedback
	last, came := l.base, false
	for seq := l.base; seq != l.seq+1; seq++ {
		if at, ok := l.arrived[seq]; ok && at <= l.now {
			last, came = seq, true
		}
	}
	if !came {
		return
	}
	for seq := l.base; seq != last+1; seq++ {
		at, ok := l.arrived[seq]
		delete(l.arrived, seq)
		f.Arrivals = append(f.Arrivals, Arrival{Seq: seq, Received: ok, At: (at + time.Hour + l.skew).Truncate(deltaUnit)})
	}
	l.base = last + 1
	l.back = append(l.back, report{l.now + l.delay, f})
}

// run sends frames at rate() for d: 30 a second, in bursts of full packets.
func (l *link) run(d time.Duration, rate func() int64) {
	for end := l.now + d; l.now < end; l.step() {
		if l.now%(33*time.Millisecond) == 0 {
			for left := int(rate() * 33 / 8000); left > 0; left -= 1200 {
				l.send(min(left, 1200))
			}
		}
	}
}

func (l *link) estimate() int64 {
	if bps, known := l.e.Estimate(l.now); known {
		return bps
	}
	return StartBps
}

// probe sends one at the rate and waits for what it shows.
func (l *link) probe(bps int64) (measured int64) {
	l.e.BeginProbe(l.now)
	for range ProbeSteps {
		for left := int(bps * int64(ProbeStep/time.Millisecond) / 8000); left > 0; left -= 300 {
			l.send(300)
		}
		for range int(ProbeStep / time.Millisecond) {
			l.step()
		}
	}
	l.e.EndProbe(l.now)
	for range 2000 {
		if got, done := l.e.ProbeResult(); done {
			return got
		}
		l.step()
	}
	return -1
}
