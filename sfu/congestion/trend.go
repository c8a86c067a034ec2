package congestion

import "time"

// usage is what the delay gradient says of the path.
type usage uint8

const (
	normal  usage = iota
	overuse       // the queue on the path grows
	underuse
)

func (u usage) String() string { return [...]string{"normal", "overuse", "underuse"}[u] }

// Constants of the delay gradient, as published (draft-ietf-rmcat-gcc-02 section
// 5; the paper's section 3 for the line and the adaptive threshold).
const (
	burstSpan     = 5 * time.Millisecond // packets sent within it are one group
	trendWindow   = 20                   // groups in the line
	smoothing     = 0.9
	trendGain     = 4.0
	trendMaxCount = 60
	overuseTime   = 10 * time.Millisecond // of growth before it counts

	thresholdStart = 12.5 // ms
	thresholdMin   = 6.0
	thresholdMax   = 600.0
	thresholdUp    = 0.0087 // per ms
	thresholdDown  = 0.039
	thresholdJump  = 15.0 // a trend so far above is a spike that must not raise it
)

// group is packets sent as one burst. Frames leave as bursts, and what stands
// behind each other in a queue because of that says nothing about the path.
type group struct {
	firstSent, lastSent, lastArrival time.Duration
	valid                            bool
}

// trend fits a line through the delays of the last groups.
type trend struct {
	current, before group

	count       int
	accumulated float64 // ms by which delay grew since the beginning
	smoothed    float64
	points      [trendWindow]struct{ x, y float64 } // arrival in ms, smoothed delay
	origin      time.Duration

	threshold  float64
	thresholdT time.Duration
	previous   float64 // the last line's slope, scaled
	over       time.Duration
	overCount  int
	state      usage
}

func newTrend() trend { return trend{threshold: thresholdStart} }

// restart forgets the delays, not the threshold: after a probe, a silence, or a
// decrease that took effect.
func (t *trend) restart() {
	*t = trend{threshold: t.threshold, thresholdT: t.thresholdT}
}

// arrive takes one packet, in the order of sending.
func (t *trend) arrive(sent, arrival time.Duration) usage {
	g := &t.current
	switch {
	case !g.valid:
		*g = group{firstSent: sent, lastSent: sent, lastArrival: arrival, valid: true}
		return t.state
	case sent-g.firstSent <= burstSpan:
		g.lastSent, g.lastArrival = max(g.lastSent, sent), max(g.lastArrival, arrival)
		return t.state
	}
	if b := t.before; b.valid {
		sentDelta, arrivalDelta := g.lastSent-b.lastSent, g.lastArrival-b.lastArrival
		if arrivalDelta < 0 || arrivalDelta > 3*time.Second || sentDelta > 3*time.Second {
			t.restart() // the receiver's clock was set, or there was nothing to see
			return t.state
		}
		t.add(sentDelta, arrivalDelta, g.lastArrival)
	}
	t.before = *g
	*g = group{firstSent: sent, lastSent: sent, lastArrival: arrival, valid: true}
	return t.state
}

// add takes the differences between two groups.
func (t *trend) add(sent, arrival, at time.Duration) {
	if t.count == 0 {
		t.origin = at
	}
	grown := ms(arrival) - ms(sent)
	t.accumulated += grown
	t.smoothed = smoothing*t.smoothed + (1-smoothing)*t.accumulated
	p := &t.points[t.count%trendWindow]
	p.x, p.y = ms(at-t.origin), t.smoothed
	t.count++
	if t.count < trendWindow {
		return
	}
	scaled := float64(min(t.count, trendMaxCount)) * t.slope() * trendGain
	t.detect(scaled, sent)
	t.adapt(scaled, at)
	t.previous = scaled
}

// slope is that of the least squares line.
func (t *trend) slope() float64 {
	var sx, sy float64
	for _, p := range t.points {
		sx += p.x
		sy += p.y
	}
	mx, my := sx/trendWindow, sy/trendWindow
	var num, den float64
	for _, p := range t.points {
		num += (p.x - mx) * (p.y - my)
		den += (p.x - mx) * (p.x - mx)
	}
	if den == 0 {
		return 0
	}
	return num / den
}

// detect compares with the threshold. Growth must last, and go on growing.
func (t *trend) detect(scaled float64, sent time.Duration) {
	switch {
	case scaled > t.threshold:
		t.over += sent
		t.overCount++
		if t.over > overuseTime && t.overCount > 1 && scaled >= t.previous {
			t.over, t.overCount = 0, 0
			t.state = overuse
		}
	case scaled < -t.threshold:
		t.over, t.overCount = 0, 0
		t.state = underuse
	default:
		t.over, t.overCount = 0, 0
		t.state = normal
	}
}

// adapt moves the threshold after the trend, so that neither a noisy path nor a
// TCP flow beside us looks like overuse for ever.
func (t *trend) adapt(scaled float64, at time.Duration) {
	size := max(scaled, -scaled)
	if size > t.threshold+thresholdJump {
		t.thresholdT = at
		return
	}
	k := thresholdUp
	if size < t.threshold {
		k = thresholdDown
	}
	passed := min(max(ms(at-t.thresholdT), 0), 100)
	t.threshold = min(max(t.threshold+k*(size-t.threshold)*passed, thresholdMin), thresholdMax)
	t.thresholdT = at
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
