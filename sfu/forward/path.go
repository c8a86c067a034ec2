package forward

import (
	"sync/atomic"
	"time"

	"aparte/sfu/congestion"
	"aparte/sfu/publish"
)

// path is what a Subscriber knows of its way to the peer, and what it does about
// it: an estimate, a share of it for each video DownTrack, a queue in front of it,
// and probes for more. See the package congestion for the figures.
type path struct {
	// Owned by the worker.
	estimator  *congestion.Estimator // nil until something sent can be acknowledged
	allocator  congestion.Allocator
	prober     congestion.Prober
	bucket     congestion.Bucket
	queue      *paceQueue // nil while nothing waits
	probe      probe
	wishes     []congestion.Wish // scratch, as long as wished
	wished     []*DownTrack      // scratch
	shared     int64             // the estimate at the last share; 0 unlimited
	well       bool              // everybody got everything at the last share
	trusted    time.Duration     // since when more is sent than was tried, see trust; 0 never
	trustedBps int64
	audio      meter // what is not in the budget

	estimate atomic.Int64 // for PathStats; -1 not known
	limit    atomic.Int64 // see Limit
	stats    pathCounters
}

type pathCounters struct {
	feedbacks, malformed, lost, overuses atomic.Uint64
	probes, probeSuccesses               atomic.Uint64
	paced, pacedDrops, overflows         atomic.Uint64
}

// PathStats describes a Subscriber's path.
type PathStats struct {
	EstimateBps int64 // -1 while nothing is known: then nothing is limited
	Feedbacks   uint64
	Malformed   uint64 // feedback that did not parse
	Lost        uint64 // packets, by transport-wide feedback
	Overuses    uint64 // times the estimate fell because of delay
	Probes      uint64
	ProbesGood  uint64 // that showed what was hoped for
	Paced       uint64 // packets that waited in the queue
	PacedDrops  uint64 // video packets dropped because the queue was full
	Overflows   uint64 // times that happened
}

// Path returns the counters.
func (s *Subscriber) Path() PathStats {
	c := &s.path.stats
	return PathStats{
		EstimateBps: s.path.estimate.Load(),
		Feedbacks:   c.feedbacks.Load(), Malformed: c.malformed.Load(), Lost: c.lost.Load(), Overuses: c.overuses.Load(),
		Probes: c.probes.Load(), ProbesGood: c.probeSuccesses.Load(),
		Paced: c.paced.Load(), PacedDrops: c.pacedDrops.Load(), Overflows: c.overflows.Load(),
	}
}

// meter is a rate over about a second, sampled every share.
type meter struct {
	bytes int64
	at    time.Duration
	bps   int64
}

func (m *meter) sample(now time.Duration) {
	d := now - m.at
	if d < 50*time.Millisecond {
		return
	}
	own := m.bytes * 8 * int64(time.Second) / int64(d)
	m.bps += (own - m.bps) / 4
	m.bytes, m.at = 0, now
}

// acknowledgeable makes an estimator: packets have transport-wide numbers.
func (s *Subscriber) acknowledgeable() {
	if s.path.estimator == nil && !s.cfg.NoAdaptation {
		s.path.estimator = congestion.NewEstimator()
	}
}

// transportCC parses feedback in the SRTCP goroutine and hands it over.
func (s *Subscriber) transportCC(raw []byte) {
	f := s.worker.takeFeedback()
	if err := f.Parse(raw); err != nil {
		s.path.stats.malformed.Add(1)
		s.worker.stats.badFeedback.Add(1)
		s.worker.giveFeedback(f)
		return
	}
	s.offer(request{kind: feedback, feedback: f})
}

// spareFeedbacks are as many as may be between SRTCP goroutines and the worker in a
// round of a full house.
const spareFeedbacks = 64

func (w *Worker) takeFeedback() *congestion.Feedback {
	select {
	case f := <-w.feedbacks:
		return f
	default:
		return new(congestion.Feedback)
	}
}

func (w *Worker) giveFeedback(f *congestion.Feedback) {
	select {
	case w.feedbacks <- f:
	default:
	}
}

func (s *Subscriber) remb(raw []byte) {
	if bps, ok := congestion.ParseREMB(raw); ok {
		s.offer(request{kind: remb, bps: bps})
	}
}

// All below runs in the worker's goroutine.

func (s *Subscriber) noteFeedback(f *congestion.Feedback) {
	p, now := &s.path, s.worker.elapsed
	defer s.worker.giveFeedback(f)
	if p.estimator == nil {
		return
	}
	p.estimator.Feedback(f, now)
	st := p.estimator.Stats()
	p.stats.feedbacks.Store(st.Feedbacks)
	p.stats.lost.Store(st.Lost)
	p.stats.overuses.Store(st.Overuses)
	s.probed()
	s.reestimate()
}

func (s *Subscriber) noteREMB(bps int64) {
	s.acknowledgeable()
	s.path.estimator.REMB(bps, s.worker.elapsed)
	s.reestimate()
}

// reestimate shares anew at once when there is much less; more can wait for the
// next turn.
func (s *Subscriber) reestimate() {
	p := &s.path
	bps, known := p.estimator.Estimate(s.worker.elapsed)
	if _, due := p.estimator.Starting(); due || known && (p.shared == 0 || bps < p.shared*9/10) {
		s.share()
	}
}

// Limit has the path carry no more than so many bits per second, whatever its
// feedback says; 0 ends that.
func (s *Subscriber) Limit(bps int64) { s.path.limit.Store(bps) }

// share gives each video DownTrack its part of the estimate. Audio comes first and
// without asking.
func (s *Subscriber) share() {
	p, now := &s.path, s.worker.elapsed
	if p.estimator == nil {
		return
	}
	p.audio.sample(now)
	bps, known := p.estimator.Estimate(now)
	if !known {
		bps = 0
		p.estimate.Store(-1)
	} else {
		p.estimate.Store(bps)
	}
	limit := p.limit.Load()
	if limit > 0 && (!known || limit < bps) {
		bps, known = limit, true
	}
	if bps < p.shared {
		p.prober.Wait(now)
	}
	p.shared = bps
	p.wishes, p.wished = p.wishes[:0], p.wished[:0]
	for _, d := range s.downs {
		if d.track.Kind() != publish.Video || d.writer == nil || d.selector.paused || d.track.Closed() {
			continue
		}
		p.wished = append(p.wished, d)
		p.wishes = append(p.wishes, congestion.Wish{
			Hold: &d.hold, Rank: d.ranked(), Most: d.selector.max, Rates: d.rates(),
		})
	}
	budget := p.trust(bps, now)
	if limit > 0 {
		budget = min(budget, limit)
	}
	p.bucket.SetEstimate(budget)
	result := p.allocator.Decide(p.wishes, max(budget-p.audio.bps, 0), !known, now)
	p.well = result.Next == 0
	for i, d := range p.wished {
		d.allow(p.wishes[i].Hold.Now)
		d.measureReach(&p.wishes[i])
	}
	if budget > bps {
		result.Next = congestion.Roomy(result.Most)
	}
	switch proven, due := p.estimator.Starting(); {
	case due:
		s.seekFirst(proven, result.Most)
	case known && p.estimator.ByFeedback() && len(p.wishes) > 0:
		s.seekMore(bps, result)
	}
}

// Figures of trust.
const (
	trustSpan   = 1500 * time.Millisecond // probes and the media itself need less
	trustEvery  = 10 * time.Second        // for the same; at once when more joins
	trustFactor = 3                       // of the estimate at most
)

// trust is the budget to share. An estimate is only what was tried: when somebody
// joins, more is wanted than ever before, and on a wide path nobody should lose a
// layer until that has been tried too. So where everybody had everything and the path
// was not full for long, everything is sent for a moment, until it shows otherwise.
func (p *path) trust(bps int64, now time.Duration) (budget int64) {
	most := congestion.Roomy(congestion.Most(p.wishes)) + p.audio.bps
	if bps == 0 || most <= bps || !p.estimator.Calm(now) {
		return bps
	}
	if p.well && (p.trusted == 0 || now-p.trusted > trustEvery || most > p.trustedBps*11/10) {
		p.trusted, p.trustedBps = now, most
	}
	if p.trusted != 0 && now-p.trusted < trustSpan {
		return max(bps, min(most, trustFactor*bps))
	}
	return bps
}

// tickPath is called about every 100 ms.
func (s *Subscriber) tickPath() {
	if s.path.estimator == nil {
		return
	}
	s.path.estimator.Tick(s.worker.elapsed)
	s.probed()
	s.share()
}

// ranked is the DownTrack's place among others when there is too little for all.
func (d *DownTrack) ranked() congestion.Rank {
	if d.track.Speaking() && d.rank < congestion.Speaker {
		return congestion.Speaker
	}
	return d.rank
}

// rates are what the layers take of which frames may be sent.
func (d *DownTrack) rates() congestion.Rates {
	r := d.track.Rates(d.worker.now)
	for i := range r {
		for j := int(d.selector.fine) + 1; j < len(r[i]); j++ {
			r[i][j] = 0
		}
	}
	return r
}

// allow applies the allocator's choice.
func (d *DownTrack) allow(c congestion.Choice) {
	s := &d.selector
	was := s.allowed
	if c == was {
		return
	}
	s.allowed = c
	if held := c == congestion.Paused; held != d.held.Load() {
		d.held.Store(held)
		if held {
			d.restart()
			d.layer.Store(-1)
		} else {
			d.requestKeyframe()
		}
		if f := d.sub.cfg.OnStreamState; f != nil {
			f()
		}
		return
	}
	before := s.target
	d.retarget()
	if (s.target != before || was.Layer < c.Layer) && d.awaitsKeyframe() {
		d.requestKeyframe()
	}
}

// Held tells whether nothing of the track is sent because the path is too narrow.
func (d *DownTrack) Held() bool { return d.held.Load() }

// Reach is the highest layer worth sending by the publisher for this subscriber:
// one above what its path has room for, so that there is a step to rise to, or any
// when nothing that comes is out of reach.
func (d *DownTrack) Reach() int { return publish.MaxLayers - 1 - int(d.short.Load()) }

func (d *DownTrack) measureReach(w *congestion.Wish) {
	now, short := int(w.Hold.Now.Layer), 0
	for layer := now + 1; layer <= w.Most; layer++ {
		if w.Rates[layer] != [congestion.MaxTemporals]int64{} {
			short = max(0, publish.MaxLayers-2-now)
		}
	}
	d.short.Store(int32(short))
}

// SetRank places the track among others of the subscriber when not all fit; a
// publisher that speaks is ranked higher by itself (publish.Track.SetSpeaking).
func (d *DownTrack) SetRank(r congestion.Rank) {
	d.worker.post(request{kind: setRank, down: d, layer: int(r)})
}
