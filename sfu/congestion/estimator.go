package congestion

import "time"

// Bounds of the estimate.
const (
	// StartBps is believed when the beginning showed nothing: what a bad mobile
	// network carries.
	StartBps = 1_000_000
	// FirstProbeBps is what the first probe tries. On a path of 300 kbit/s it
	// costs half a second of queue, once.
	FirstProbeBps = 3_000_000
	// startSpan is how long after the first probe nothing is limited unless the
	// path shows that it should be. A path with nothing but sound is not probed,
	// and stays so until there is a picture.
	startSpan = 2 * time.Second
	// startTries: a first probe that finds a full path is repeated, unless it
	// came at less than half its rate. A busy machine at the other end delays
	// some packets just like that.
	startTries = 3
	obvious    = 0.5
	// minimumBps keeps the way up open; it is less than one voice.
	minimumBps = 10_000
	// maximumBps is a figure beyond all that one subscriber is ever sent.
	maximumBps = 100_000_000

	// outage: packets went unanswered for so long; then the estimate halves
	// every second until something is heard. Of fewer packets than that the last
	// ones may just have been lost before a silence.
	outage      = 3 * time.Second
	outageLeast = 8
	// calmAfter: a path that was full so long ago may carry more by now.
	calmAfter = 10 * time.Second
	// rembLasts is how long a receiver's own estimate counts; it is repeated
	// every second.
	rembLasts = 5 * time.Second
)

// Stats counts what an estimator saw.
type Stats struct {
	Feedbacks, Packets, Lost uint64 // transport-wide feedback and what it spoke of
	Unknown                  uint64 // numbers never sent, or too long ago
	Overuses                 uint64 // times the estimate fell because of delay
	Outages                  uint64
	REMBs                    uint64
}

// Estimator says how many bits per second one path carries.
type Estimator struct {
	history    history
	trend      trend
	standing   standing // by the receiver's clock
	round      standing // of round trips, by ours
	arrivals   throughput
	late       throughput    // of them, those that stood in a queue
	offered    throughput    // what was sent of it, lost or not, by our clock
	voidBefore time.Duration // packets sent earlier went another way
	delay      delayRate
	loss       lossRate
	cluster    cluster
	acted      uint16 // last number sent before the estimate last fell
	waiting    bool   // for feedback about later ones
	measured   int64  // of the last probe
	finished   bool   // and not yet taken by ProbeResult
	quietTill  time.Duration
	rtt        time.Duration
	heard      bool          // feedback came
	settled    bool          // and showed something, see Estimate
	triedAt    time.Duration // when the first probe began; 0 none yet
	tries      int           // probes that found a full path before anything settled
	proven     int64         // by probes before anything settled
	heardAt    time.Duration
	unanswered time.Duration // when the oldest packet since the last feedback left; 0 none
	silent     int           // packets since then
	undo       fall
	outageBps  int64         // the estimate before an outage that lasts; 0 none does
	fellAt     time.Duration // when the path last showed that it was full; 0 never
	halvedAt   time.Duration
	clock      time.Duration // receiver's time before its reference wrapped
	lastAt     time.Duration
	remb       int64
	rembAt     time.Duration
	stats      Stats
}

// NewEstimator returns one that knows nothing yet.
func NewEstimator() *Estimator {
	return &Estimator{
		trend: newTrend(),
		delay: delayRate{bps: StartBps}, loss: lossRate{bps: maximumBps},
	}
}

// Sent notes a packet of size bytes on the wire, with its transport-wide number.
// now counts from any beginning, above zero. It allocates nothing.
func (e *Estimator) Sent(seq uint16, size int, now time.Duration) {
	e.history.add(seq, size, now)
	if e.unanswered == 0 {
		e.unanswered = now
	}
	e.silent++
	if c := &e.cluster; c.active && !c.closed {
		if c.count == 0 {
			c.first = seq
		}
		c.count++
		c.last = seq
	}
}

// BeginProbe makes what is sent from now on part of a probe, until EndProbe.
func (e *Estimator) BeginProbe(now time.Duration) {
	e.cluster = cluster{active: true, begun: now}
	if e.triedAt == 0 {
		e.triedAt = now
	}
	e.finished = false
}

// EndProbe says that all of it was sent.
func (e *Estimator) EndProbe(now time.Duration) {
	e.cluster.closed = true
	e.quietTill = now + quiet
	if e.cluster.count == 0 {
		e.finish(0)
	}
}

// ProbeResult returns what the last probe showed, once; 0 when nothing came of it.
func (e *Estimator) ProbeResult() (bps int64, done bool) {
	done = e.finished
	e.finished = false
	return e.measured, done
}

func (e *Estimator) finish(bps int64) {
	e.cluster = cluster{}
	e.measured, e.finished = bps, true
}

// wrapAfter is the span of the 24 bits of reference time.
const wrapAfter = referenceUnit << 24

// Feedback takes what the receiver said.
func (e *Estimator) Feedback(f *Feedback, now time.Duration) {
	e.stats.Feedbacks++
	e.heard = true
	e.heardAt = now
	e.unanswered, e.silent = 0, 0
	state := normal
	packets, losses := 0, 0
	newest := time.Duration(0)
	for _, a := range f.Arrivals {
		p := e.history.find(a.Seq)
		if p == nil {
			e.stats.Unknown++
			continue
		}
		if e.waiting && int16(a.Seq-e.acted) > 0 {
			e.waiting = false
			e.loss.restart(now)
		}
		switch {
		case p.at < e.voidBefore:
		case a.Received && p.fate != arrived:
			if p.fate == lost {
				losses--
			} else {
				packets++
			}
			if p.fate == unknown {
				e.offered.add(p.at, int(p.size))
			}
			p.fate = arrived
			newest = max(newest, p.at)
			state = e.arrive(a, p, now)
		case !a.Received && p.fate == unknown:
			p.fate = lost
			e.offered.add(p.at, int(p.size))
			packets++
			losses++
		}
		if c := &e.cluster; c.closed && a.Seq == c.last {
			e.judge(now)
		}
	}
	e.stats.Packets += uint64(packets)
	e.stats.Lost += uint64(max(losses, 0))
	if !e.waiting { // for the same losses the estimate should not fall twice
		e.loss.count(packets, losses)
	}
	if e.outageBps != 0 && packets > 0 {
		e.afterOutage(packets, losses, now)
	}
	if newest != 0 {
		e.round.arrive(now-newest, now)
	}
	if e.standing.stepped(&e.round) {
		e.standing = standing{}
		e.trend.restart()
		state = normal
	}
	every := decreaseEvery
	if judged := state.judge(min(e.standing.queue(), e.round.queue())); judged != state {
		if state = judged; state == overuse {
			every = standingEvery
		}
	}
	if state == overuse && !e.full() {
		state = underuse
	}
	if e.waiting && state == overuse {
		state = underuse // the queue is older than what was done about it
	}
	if now < e.quietTill {
		state = underuse // neither believe the probe's own queue, nor rise on it
	}
	if state == normal {
		e.prove()
	}
	before, lossy := e.delay.decreases, e.loss.decreases
	believed := min(e.delay.bps, e.loss.bps)
	sure := e.arrivals.packets() >= few || e.standing.queue() > sureQueue
	e.delay.update(state, drained(&e.arrivals, &e.late), sure, e.rtt, every, now)
	e.stats.Overuses += uint64(e.delay.decreases - before)
	e.loss.update(e.delay.bps, e.arrivals.bps(), e.offered.bps(), min(e.standing.queue(), e.round.queue()) > standingLow, e.rtt, now)
	if e.delay.decreases != before || e.loss.decreases != lossy {
		e.settled = true
		e.fellAt = now
		e.acted, e.waiting = e.history.last, true
		e.undo.begin(believed, e.offered.bps(), now)
	} else if e.undo.needless(state, min(e.standing.queue(), e.round.queue()), e.loss.share, e.offered.bps(), now) {
		e.delay.raise(e.undo.bps)
		e.loss.bps = max(e.loss.bps, e.undo.bps)
		e.undo = fall{}
	}
	e.bound()
}

// full tells whether a queue is ours to answer for: less comes than is sent, or some
// is lost, or it is long. A short one while everything comes is somebody else's,
// or a receiver that is a little late all the time.
func (e *Estimator) full() bool {
	return float64(e.arrivals.bps()) < saturated*float64(e.offered.bps()) ||
		e.loss.share > lossLow || e.loss.now() > lossLow ||
		min(e.standing.queue(), e.round.queue()) > standingHigh
}

// Rerouted says that what was sent until now went another way, and much of it
// nowhere: ICE restarted. What was learnt of the rate is kept.
func (e *Estimator) Rerouted(now time.Duration) {
	e.voidBefore = now
	e.standing, e.round = standing{}, standing{}
	e.trend.restart()
	e.loss.restart(now)
	e.quietTill = max(e.quietTill, now+quiet)
	e.unanswered, e.silent, e.outageBps = 0, 0, 0
	e.waiting = false
}

// afterOutage: when nearly everything came after all, only the feedback was late, or
// the receiver busy, and the path is what it was.
func (e *Estimator) afterOutage(packets, losses int, now time.Duration) {
	if losses*10 <= packets {
		e.delay.bps = max(e.delay.bps, e.outageBps)
	}
	e.outageBps = 0
	e.quietTill = max(e.quietTill, now+quiet)
}

// prove believes what came without a queue, less what a window counts too much when
// packets are few.
func (e *Estimator) prove() {
	came := int64(kept * float64(e.arrivals.bps()))
	e.delay.raise(came)
	if e.loss.share < lossLow {
		e.loss.bps = max(e.loss.bps, came)
	}
}

// arrive takes one packet that the receiver has.
func (e *Estimator) arrive(a Arrival, p *sentPacket, now time.Duration) usage {
	at := a.At + e.clock
	if e.lastAt-at > wrapAfter/2 {
		e.clock += wrapAfter
		at += wrapAfter
	}
	e.lastAt = at
	e.arrivals.add(at, int(p.size))
	if rtt := now - p.at; e.rtt == 0 {
		e.rtt = rtt
	} else {
		e.rtt += (rtt - e.rtt) / 16
	}
	if c := &e.cluster; c.active && c.count > 0 && a.Seq-c.first <= c.last-c.first {
		c.arrive(p, at)
		return e.trend.state
	}
	if p.at < e.quietTill || e.cluster.active {
		e.trend.restart()
		return e.trend.state
	}
	e.standing.arrive(at-p.at, at)
	if e.standing.late(at - p.at) {
		e.late.add(at, int(p.size))
	} else {
		e.late.add(at, 0)
	}
	return e.trend.arrive(p.at, at)
}

// judge ends a probe.
func (e *Estimator) judge(now time.Duration) {
	bps, full, ok := e.cluster.result()
	slowness := e.cluster.slowness()
	if !ok {
		e.finish(0)
		return
	}
	e.finish(bps)
	if !e.settled {
		e.proven = max(e.proven, bps)
		e.delay.raise(e.proven)
		if full {
			if e.tries++; e.tries == startTries || slowness < obvious {
				e.fellAt = now
				e.Settle(now)
			}
		}
		return
	}
	if full {
		e.fellAt = now
		bps = max(bps, e.arrivals.bps()) // that much comes through in any case
	}
	switch {
	case full && bps < e.delay.bps:
		e.delay.bps = bps // what was believed was never tried
	case bps > e.delay.bps:
		e.delay.raise(bps)
		e.delay.changed = now
		fallthrough
	default:
		e.loss.bps = max(e.loss.bps, bps)
	}
	e.bound()
}

// Settle ends the beginning: the estimate is what was shown so far.
func (e *Estimator) Settle(now time.Duration) {
	e.settled = true
	e.delay.bps, e.loss.bps = max(e.proven, e.arrivals.bps()), maximumBps
	e.delay.changed = now
	e.bound()
}

// REMB takes a receiver's own estimate.
func (e *Estimator) REMB(bps int64, now time.Duration) {
	e.stats.REMBs++
	e.remb, e.rembAt = bps, now
}

// Tick looks after what does not come: feedback of a probe, or any at all.
func (e *Estimator) Tick(now time.Duration) {
	if c := &e.cluster; c.active && now-c.begun > probeTimeout {
		e.finish(0)
	}
	if e.heard && !e.settled && e.triedAt != 0 && !e.cluster.active && now-e.triedAt > startSpan {
		if e.proven == 0 {
			e.proven = StartBps
		}
		e.Settle(now)
	}
	if e.heard && e.silent >= outageLeast && now-e.unanswered > outage && now-e.heardAt > outage && now-e.halvedAt >= time.Second {
		e.halvedAt = now
		e.stats.Outages++
		if e.outageBps == 0 {
			e.outageBps = e.delay.bps
		}
		e.delay.bps /= 2
		e.trend.restart()
		e.bound()
	}
}

func (e *Estimator) bound() {
	e.delay.bps = min(max(e.delay.bps, minimumBps), maximumBps)
	e.loss.bps = min(max(e.loss.bps, minimumBps), maximumBps)
}

// Estimate is how many bits per second the path carries. known is false while the
// receiver has said nothing, and after that until probes, a queue, losses or two
// seconds of none of these: then nothing is limited, so that the first picture does
// not wait for a figure.
func (e *Estimator) Estimate(now time.Duration) (bps int64, known bool) {
	switch {
	case e.settled:
		return min(e.delay.bps, e.loss.bps), true
	case !e.heard && e.remb > 0 && now-e.rembAt < rembLasts:
		return min(max(e.remb, minimumBps), maximumBps), true
	}
	return 0, false
}

// Starting tells whether a probe of the beginning is due, and what those before it
// showed.
func (e *Estimator) Starting() (proven int64, due bool) {
	return e.proven, e.heard && !e.settled && !e.cluster.active
}

// Calm tells whether the path has not been seen full for a while.
func (e *Estimator) Calm(now time.Duration) bool {
	return e.settled && (e.fellAt == 0 || now-e.fellAt > calmAfter) && e.loss.share < lossLow
}

// ByFeedback tells whether transport-wide feedback comes: only then does a probe
// show anything.
func (e *Estimator) ByFeedback() bool { return e.heard }

// Loss is the share of packets lost over the last window.
func (e *Estimator) Loss() float64 { return e.loss.share }

// RTT is the mean time from sending to feedback, the receiver's waiting included.
func (e *Estimator) RTT() time.Duration { return e.rtt }

// Stats returns the counters.
func (e *Estimator) Stats() Stats { return e.stats }
