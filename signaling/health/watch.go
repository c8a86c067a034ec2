package health

import "time"

// Watch remembers what was counted lately: totals since the start say nothing about now,
// and a clock that jumped shows only beside one that cannot. It is for one goroutine at a
// time.
type Watch struct {
	samples []Sample // oldest first, of the last watched
	jump    Jump     // the zero value: none
}

// Sample is what was counted at a moment.
type Sample struct {
	Wall          time.Time     // by the wall clock
	Since         time.Duration // since the start, by a clock that nobody sets
	Sent, Dropped uint64        // packets, since the start
}

// Jump is a step of the wall clock.
type Jump struct {
	By time.Duration // forward, or back if negative
	At time.Time     // by the wall clock afterwards
}

const (
	// watched is over how long shares are told.
	watched = 5 * time.Minute
	// jumpFrom is more than what keeps clocks corrects gradually between two samples.
	jumpFrom = time.Second
	// jumpTold is how long one is told.
	jumpTold = 24 * time.Hour
)

// Add takes a sample, some seconds after the one before.
func (w *Watch) Add(s Sample) {
	s.Wall = s.Wall.Round(0) // its monotonic reading would hide every jump
	if n := len(w.samples); n > 0 {
		last := w.samples[n-1]
		if by := s.Wall.Sub(last.Wall) - (s.Since - last.Since); by.Abs() > jumpFrom {
			w.jump = Jump{By: by, At: s.Wall}
		}
	}
	w.samples = append(w.samples, s)
	for len(w.samples) > 1 && s.Since-w.samples[0].Since > watched {
		w.samples = w.samples[1:]
	}
}

// Traffic is what was sent between the oldest sample that is remembered and the last; nil
// without two.
func (w *Watch) Traffic() *Traffic {
	n := len(w.samples)
	if n < 2 {
		return nil
	}
	first, last := w.samples[0], w.samples[n-1]
	return &Traffic{Over: last.Since - first.Since, Sent: last.Sent - first.Sent, Dropped: last.Dropped - first.Dropped}
}

// Jump is the last jump of the clock; nil if there was none within a day before now, which
// is the wall clock's.
func (w *Watch) Jump(now time.Time) *Jump {
	if w.jump == (Jump{}) || now.Round(0).Sub(w.jump.At) > jumpTold {
		return nil
	}
	jump := w.jump
	return &jump
}
