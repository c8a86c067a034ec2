package throttle

import "time"

// Rate is how often something may happen: Burst times at once, then once more
// each Every.
type Rate struct {
	Every time.Duration
	Burst int
}

// Bucket counts by a rate. The zero Bucket is full. It is a value for rules that
// are told the time; Throttle has one for each key.
type Bucket struct {
	taken float64 // tries that have not come back yet, as of at
	at    time.Time
}

// Take takes a try, or says how long to wait for the next.
func (b Bucket) Take(r Rate, now time.Time) (after Bucket, wait time.Duration, ok bool) {
	b = b.refilled(r, now)
	if missing := b.taken + 1 - float64(r.Burst); missing > 0 {
		return b, time.Duration(missing * float64(r.Every)), false
	}
	b.taken++
	return b, 0, true
}

func (b Bucket) refilled(r Rate, now time.Time) Bucket {
	if passed := now.Sub(b.at); passed > 0 {
		b.taken = max(0, b.taken-float64(passed)/float64(r.Every))
		b.at = now
	}
	return b
}
