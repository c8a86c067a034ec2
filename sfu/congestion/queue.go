package congestion

import "time"

// standing measures the queue that stays: the least delay over the last moments
// above the least over the last while. A key frame makes a queue that is gone
// after a few packets and is no congestion; one in which no packet goes straight
// through is (the distinction of CoDel, RFC 8289 section 4.1). The delay gradient
// alone mistakes the one for the other, and sees nothing in a full queue that has
// stopped growing.
type standing struct {
	base, now minimum
}

const (
	// The while must outlast any burst and be short enough to follow a change of
	// route; the moment must be longer than two frames are apart.
	baseSpan   = 10 * time.Second
	momentSpan = 200 * time.Millisecond

	// standingLow: below it no decrease, however the gradient looks.
	standingLow = 25 * time.Millisecond
	// standingHigh: above it a decrease, even when it does not grow.
	standingHigh = 120 * time.Millisecond
	// standingEvery is the pause between decreases for that reason: another flow
	// may be what fills the queue.
	standingEvery = time.Second
	// sureQueue is longer than a busy machine lets things lie.
	sureQueue = 500 * time.Millisecond
	// stepLeast is more than round trips differ by.
	stepLeast = 100 * time.Millisecond
)

// minimum is the least value of the current span and the one before.
type minimum struct {
	begun         time.Duration
	current, last time.Duration
	any           bool
}

func (m *minimum) add(v, now, span time.Duration) {
	switch {
	case !m.any || now-m.begun >= 2*span || now < m.begun:
		*m = minimum{begun: now, current: v, last: v, any: true}
	case now-m.begun >= span:
		m.begun, m.last, m.current = now, m.current, v
	default:
		m.current = min(m.current, v)
	}
}

func (m *minimum) value() time.Duration { return min(m.current, m.last) }

// arrive takes the time a packet took, from an unknown beginning.
func (s *standing) arrive(took, now time.Duration) {
	s.base.add(took, now, baseSpan)
	s.now.add(took, now, momentSpan)
}

// late tells whether a packet that took so long stood in a queue.
func (s *standing) late(took time.Duration) bool {
	return s.base.any && took-s.base.value() > standingLow
}

// queue is the delay that stays.
func (s *standing) queue() time.Duration {
	if !s.base.any {
		return 0
	}
	return s.now.value() - s.base.value()
}

// stepped tells whether a receiver's delays speak of its clock: what stays in a
// queue on the way is in the round trip too, which is measured with our clock alone.
// A machine that slept or was set forward would otherwise look like a full queue
// for as long as the while lasts.
func (s *standing) stepped(round *standing) bool { return s.queue() > round.queue()+stepLeast }

// judge corrects what the gradient says, by the queue that stays.
func (u usage) judge(q time.Duration) usage {
	switch {
	case u == overuse && q < standingLow:
		return normal
	case u == normal && q > standingHigh:
		return overuse
	case u == normal && q > standingLow:
		return underuse // let it drain
	}
	return u
}
