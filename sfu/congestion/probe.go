package congestion

import "time"

// A probe is a burst of packets (media that is due, and padding) at a rate above
// the estimate, for so short that the queue it may build is gone soon: 50 ms at
// twice the rate are 50 ms of delay at most.
const (
	// ProbeSteps is how many parts it has, ProbeStep the time between them: the
	// worker's tick.
	ProbeSteps = 5
	ProbeStep  = 10 * time.Millisecond

	probeTimeout = time.Second
	// probeArrived of its packets must arrive for a figure. Those that were lost
	// tell as much: the ones that came did so at the rate of the path.
	probeArrived = 0.2
	probeWhole   = 0.9
	// saturated: it arrived so much slower than it was sent that the path was full.
	saturated = 0.9
	// stretched: and by so much later. Where the first step was large and the last
	// small, their rates differ on any path.
	stretched = 5 * time.Millisecond
	// kept of what a full path showed.
	kept = 0.95
	// quiet is how long after a probe its own queue may drain unseen by the trend.
	quiet = 300 * time.Millisecond
)

// cluster is one probe on its way.
type cluster struct {
	active, closed        bool
	first, last           uint16 // transport-wide numbers
	begun                 time.Duration
	count, came           int
	bytes                 int64
	firstSent, lastSent   time.Duration
	firstBytes, lastBytes int64 // of those sent first and last
	firstCame, lastCame   time.Duration
}

// arrive takes an acknowledged packet of the cluster.
func (c *cluster) arrive(p *sentPacket, at time.Duration) {
	size := int64(p.size)
	if c.came == 0 {
		c.firstSent, c.lastSent = p.at, p.at
		c.firstCame, c.lastCame = at, at
	}
	c.came++
	c.bytes += size
	switch {
	case p.at < c.firstSent:
		return // never: they come in order of sending
	case p.at == c.firstSent:
		c.firstBytes += size
		c.firstCame = max(c.firstCame, at)
	}
	if p.at > c.lastSent {
		c.lastSent, c.lastBytes = p.at, 0
	}
	if p.at == c.lastSent {
		c.lastBytes += size
	}
	c.lastCame = max(c.lastCame, at)
}

// result is the rate the cluster showed; full when the path carries no more than
// that. ok is false when too little of it came, or all at once.
func (c *cluster) result() (bps int64, full, ok bool) {
	sentSpan, cameSpan := c.lastSent-c.firstSent, c.lastCame-c.firstCame
	if c.count == 0 || float64(c.came) < probeArrived*float64(c.count) || sentSpan <= 0 || cameSpan <= 0 {
		return 0, false, false
	}
	sent := bitsPerSecond(c.bytes-c.lastBytes, sentSpan)
	came := bitsPerSecond(c.bytes-c.firstBytes, cameSpan)
	if float64(came) < saturated*float64(sent) && cameSpan-sentSpan > stretched || float64(c.came) < probeWhole*float64(c.count) {
		return int64(kept * float64(came)), true, true
	}
	return min(sent, came), false, true
}

// slowness is the rate at which a probe came, as a share of the rate it was sent at.
func (c *cluster) slowness() float64 {
	sentSpan, cameSpan := c.lastSent-c.firstSent, c.lastCame-c.firstCame
	if sentSpan <= 0 || cameSpan <= 0 {
		return 0
	}
	return float64(bitsPerSecond(c.bytes-c.firstBytes, cameSpan)) / float64(max(bitsPerSecond(c.bytes-c.lastBytes, sentSpan), 1))
}

// Prober decides when to probe and how far.
type Prober struct {
	next    time.Duration
	backoff time.Duration
	target  int64   // of the one on its way; 0 none
	shown   float64 // share of its target that the last success showed; 0 none yet
}

// Pauses between probes: after one that found nothing, doubling. A path that comes
// back is found within the longest.
const (
	probeSoon    = 200 * time.Millisecond
	probeLater   = 3 * time.Second
	probeLatest  = 12 * time.Second
	probeFactor  = 3    // above the estimate at most
	probeBeyond  = 1.25 // above what is wanted: a little more than needed shows that it lasts
	probeSuccess = 0.8  // of the target
	// MaxProbeBps: beyond it media is what shows that there is room. 50 ms of it
	// are some 400 packets, which the worker has to send beside everybody's media.
	MaxProbeBps = 20_000_000
)

// Want tells whether to probe now, and at which rate. need is what the next step
// up would take in all; most what everything would take. Where media falls between the
// steps, a probe shows less than it was meant to, and the next one just as much less: what
// the last one fell short by is added, or a need next to the target would never be met.
func (p *Prober) Want(estimate, need, most int64, now time.Duration) (bps int64, ok bool) {
	if p.target != 0 || now < p.next || need <= estimate || estimate <= 0 || estimate >= MaxProbeBps {
		return 0, false
	}
	bps = max(int64(probeBeyond*float64(need)), 2*estimate)
	bps = min(bps, probeFactor*estimate, max(int64(probeBeyond*float64(most)), need))
	if p.shown > 0 {
		bps = int64(float64(bps) / p.shown)
	}
	bps = min(bps, MaxProbeBps)
	p.target = bps
	return bps, true
}

// First is the rate of the next probe while nothing is limited yet; enough tells
// that those before it showed room for everything.
func (p *Prober) First(proven, most int64) (bps int64, enough bool) {
	want := min(max(FirstProbeBps, int64(probeBeyond*float64(most))), MaxProbeBps)
	bps = min(want, max(FirstProbeBps, probeFactor*proven))
	return bps, float64(proven) >= probeSuccess*float64(want)
}

// Begin notes a probe at the rate that was begun without asking.
func (p *Prober) Begin(bps int64) { p.target = bps }

// Done takes what the probe showed; 0 when nothing. It tells whether it was as
// much as hoped for.
func (p *Prober) Done(measured int64, now time.Duration) (success bool) {
	success = float64(measured) >= probeSuccess*float64(p.target)
	if success {
		p.shown = min(float64(measured)/float64(p.target), 1)
		p.backoff = 0
		p.next = now + probeSoon
	} else {
		p.shown = 0
		p.backoff = min(max(2*p.backoff, probeLater), probeLatest)
		p.next = now + p.backoff
	}
	p.target = 0
	return success
}

// Wait puts the next probe off: the path has just shown that it is full.
func (p *Prober) Wait(now time.Duration) { p.next = max(p.next, now+probeLater) }
