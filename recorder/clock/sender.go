package clock

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Figures of the fits, in seconds.
const (
	// Reports come each second to each five. Real clocks wander with temperature, over
	// minutes.
	reportWindow, reportLeast = 180, 30
	// The envelope has one point a minute: of some 12 to 60 reports the one that was
	// least delayed.
	envelopeEvery                 = 60
	envelopeWindow, envelopeLeast = 600, 180
	// Without reports a stream's own packets give the envelope.
	arrivalEvery                = 10
	arrivalWindow, arrivalLeast = 300, 60
	// A clock was set, or a stream stood still: more than any drift between two reports.
	stepLeast = 0.1
	// What is further from its arrival than this is not believed.
	earliest, latest = -10, 1
)

// Sender is one participant's clock and the streams that go by it. Feed its streams in
// the order of arrival, then Solve, then ask them.
type Sender struct {
	streams []*Stream
	steps   []step
	origin  uint64 // NTP time of the first report
	begun   bool
	server  curve // the sender's clock to the recording's
}

// step is a change of the sender's clock, in seconds.
type step struct{ at, by float64 }

// Stream is one source with its own timestamps.
type Stream struct {
	sender *Sender
	rate   float64
	// All in seconds.
	reports []report
	lowest  []point // of the packets in each few seconds: the one that was delayed least
	oldest  point   // the first packet, and its arrival
	newest  point   // the packet with the highest timestamp
	gaps    []gap   // in the order of arrival
	settled int     // of them, whatever comes
	least   float64 // as a report's, since the last one
	local   curve   // the stream's time to the sender's clock, or to the recording's
	rough   bool
}

// report is a sender report. least is by how much packets arrived later than they say at
// least, since the report before; infinite where none came. jump is by how much more the
// sender's clock went on than the stream since then: where the clock was not set it is the
// stream that stood still, or ran after having stood still.
type report struct {
	at, ntp, rtp float64
	least        float64
	jump         float64
	set          bool
}

// Stream adds a stream with so many ticks a second, which must not be 0.
func (s *Sender) Stream(rate uint32) *Stream {
	st := &Stream{sender: s, rate: float64(rate), least: math.Inf(1)}
	s.streams = append(s.streams, st)
	return st
}

// Packet is the arrival of a packet with an extended timestamp.
func (st *Stream) Packet(at time.Duration, rtp int64) {
	p := point{float64(rtp) / st.rate, at.Seconds()}
	n := len(st.lowest)
	late := p.y - p.x
	if n == 0 {
		st.oldest, st.newest = p, p
	}
	st.notice(p)
	st.least = min(st.least, late)
	if n == 0 || math.Abs(p.x-st.lowest[n-1].x) >= arrivalEvery && p.x > st.lowest[n-1].x {
		st.lowest = append(st.lowest, p)
		return
	}
	if last := &st.lowest[n-1]; late < last.y-last.x && p.x >= last.x-arrivalEvery {
		*last = p
	}
}

// Report is a sender report: the sender's clock (RFC 5905, 6) at an extended timestamp.
func (st *Stream) Report(at time.Duration, ntp uint64, rtp int64) {
	s := st.sender
	if !s.begun {
		s.begun, s.origin = true, ntp
	}
	st.reports = append(st.reports, report{at: at.Seconds(), ntp: float64(int64(ntp-s.origin)) / (1 << 32), rtp: float64(rtp) / st.rate, least: st.least})
	st.least = math.Inf(1)
}

// Solve finds the times. Nothing may be fed afterwards.
func (s *Sender) Solve() {
	for _, st := range s.streams {
		st.dropOutliers()
		st.findJumps()
		st.findSteps()
	}
	var all []point // the sender's clock and the arrival
	for _, st := range s.streams {
		st.takeOutSteps()
		if len(st.reports) == 0 {
			continue
		}
		for _, r := range st.reports {
			all = append(all, point{r.ntp, r.at})
		}
		st.local = join(st.stretches(), reportWindow, reportLeast)
	}
	slices.SortStableFunc(all, byX)
	s.server = fit(lowest(all, envelopeEvery), envelopeWindow, envelopeLeast)
	for _, st := range s.streams {
		if st.rough = len(st.reports) == 0 || !st.believable(); st.rough {
			slices.SortStableFunc(st.lowest, byX)
			st.local = fit(st.lowest, arrivalWindow, arrivalLeast)
		}
	}
}

func byX(a, b point) int { return cmp.Compare(a.x, b.x) }

// lowest takes of each so many seconds the point with the smallest difference.
func lowest(points []point, every float64) (out []point) {
	begin := 0.0
	for _, p := range points {
		n := len(out)
		switch {
		case n == 0 || p.x-begin >= every:
			out, begin = append(out, p), p.x
		case p.y-p.x < out[n-1].y-out[n-1].x:
			out[n-1] = p
		}
	}
	return out
}

// jump is by how much the sender's clock ran otherwise than the stream between two
// reports; 0 when it is what drift explains.
func jump(a, b report) float64 {
	d := (b.ntp - a.ntp) - (b.rtp - a.rtp)
	if math.Abs(d) <= stepLeast+maxSkew*math.Abs(b.rtp-a.rtp) {
		return 0
	}
	return d
}

// dropOutliers takes out single reports that neither fit the one before nor the one
// after, which fit each other.
func (st *Stream) dropOutliers() {
	kept := st.reports[:0:0]
	for i, r := range st.reports {
		if i > 0 && i+1 < len(st.reports) && len(kept) > 0 {
			a, b := kept[len(kept)-1], st.reports[i+1]
			if jump(a, r) != 0 && jump(r, b) != 0 && jump(a, b) == 0 {
				st.reports[i+1].least = min(b.least, r.least)
				continue
			}
		}
		kept = append(kept, r)
	}
	st.reports = kept
}

// findJumps tells where the sender's clock and the stream did not run alike, and which of
// the two it was: packets of a stream that stood still arrive later than they say.
func (st *Stream) findJumps() {
	all := st.reports
	for i := 1; i < len(all); i++ {
		by := jump(all[i-1], all[i])
		if by == 0 {
			continue
		}
		after := st.least
		if i+1 < len(all) {
			after = all[i+1].least
		}
		late := after - all[i-1].least
		if math.IsInf(late, 0) || math.IsNaN(late) { // nothing came on one side
			late = (all[i].at - all[i-1].at) - (all[i].rtp - all[i-1].rtp)
		}
		all[i].jump, all[i].set = by, math.Abs(late) < math.Abs(by)/2
	}
}

// findSteps tells the sender where its clock was set. One that is set all the time is
// none, and its reports are not believed.
func (st *Stream) findSteps() {
	n := 0
	for _, r := range st.reports {
		if r.set {
			n++
		}
	}
	if n*4 > len(st.reports) {
		st.reports = nil
		return
	}
	for _, r := range st.reports {
		if !r.set {
			continue
		}
		if !slices.ContainsFunc(st.sender.steps, func(x step) bool {
			return math.Abs(x.at-r.at) < 15 && math.Abs(x.by-r.jump) < stepLeast
		}) {
			st.sender.steps = append(st.sender.steps, step{r.at, r.jump})
		}
	}
}

// takeOutSteps has the sender's clock run on as if nobody had set it. A stream that began
// later goes by what the others saw.
func (st *Stream) takeOutSteps() {
	if len(st.reports) == 0 {
		return
	}
	by := 0.0
	for _, x := range st.sender.steps {
		if x.at < st.reports[0].at {
			by += x.by
		}
	}
	for i := range st.reports {
		r := &st.reports[i]
		if r.set {
			by += r.jump
		}
		r.ntp -= by
	}
}

// believable tells whether the reports put packets somewhere near their arrival.
func (st *Stream) believable() bool {
	good := 0
	for _, p := range st.lowest {
		if d := st.sender.server.at(st.local.at(p.x)) - p.y; d >= earliest && d <= latest {
			good++
		}
	}
	return good*2 >= len(st.lowest)
}

// At is when what has an extended timestamp was captured, in the recording's time: before
// it arrived, by less than the way took beyond the fastest.
func (st *Stream) At(rtp int64) time.Duration {
	t := st.local.at(float64(rtp) / st.rate)
	if !st.rough {
		t = st.sender.server.at(t)
	}
	const most = float64(1<<62) / float64(time.Second)
	return time.Duration(min(max(t, -most), most) * float64(time.Second))
}

// Approximate tells that the stream had no reports, or none to believe.
func (st *Stream) Approximate() bool { return st.rough }
