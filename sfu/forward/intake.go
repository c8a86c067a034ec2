package forward

import "time"

// What one subscriber may ask of the worker, which serves all others as well.
// An honest one with 400 tracks sends some 500 reports, 100 requests and 20
// feedbacks a second; what is beyond these bounds is counted and dropped, and
// hurts nobody but the one who sent it.
const (
	// intakeRate requests a second, and so many at once.
	intakeRate, intakeBurst = 2000, 1000
	// feedbackRate of transport-wide feedback: receivers send it every 50 ms and
	// more often only when one packet of it does not suffice. Each costs up to
	// four thousand look-ups.
	feedbackRate, feedbackBurst = 100, 50
	// maxPending of the worker's queue may be one subscriber's.
	maxPending = maxRequests / 4

	// repairMost bytes may be sent again at once: half a second of 4 Mbit/s.
	// They are earned by what is sent the first time, so that a subscriber who
	// asks for everything again and again gets it twice.
	repairMost = 256 << 10

	// keyframeBurst key frames may be asked for in a row, then one every
	// keyframeEvery, late ones when their time has come: each is a burst for
	// everybody else who gets the layer.
	keyframeBurst = 6
	keyframeEvery = 2 * time.Second
)

// allowance is a bucket of tokens.
type allowance struct {
	used float64
	at   time.Time
}

// take takes one of burst tokens, which come back at rate a second.
func (a *allowance) take(now time.Time, rate, burst float64) bool {
	a.used = max(0, a.used-rate*max(0, now.Sub(a.at).Seconds()))
	a.at = now
	if a.used+1 > burst {
		return false
	}
	a.used++
	return true
}

// intake bounds what a subscriber sends us. Owned by the SRTCP goroutine.
type intake struct{ requests, feedbacks allowance }

// admit tells whether the peer may ask for something more. It is called in the
// SRTCP goroutine.
func (s *Subscriber) admit(feedback bool) bool {
	now := time.Now()
	if s.pending.Load() >= maxPending ||
		!s.intake.requests.take(now, intakeRate, intakeBurst) ||
		feedback && !s.intake.feedbacks.take(now, feedbackRate, feedbackBurst) {
		s.worker.stats.flooded.Add(1)
		return false
	}
	return true
}

// offer hands over what the peer asks for; admit came before.
func (s *Subscriber) offer(r request) {
	r.sub, r.counted = s, true
	s.pending.Add(1)
	if !s.worker.offer(r) {
		s.pending.Add(-1)
	}
}

// earn notes bytes sent for the first time: so many may be sent again.
func (s *Subscriber) earn(bytes int) { s.repair = min(s.repair+bytes, repairMost) }

// spend takes bytes for a packet that is sent again.
func (s *Subscriber) spend(bytes int) bool {
	if s.repair < bytes {
		return false
	}
	s.repair -= bytes
	return true
}
