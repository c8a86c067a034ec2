package congestion

import "time"

// Figures of the bucket.
const (
	// pace above the estimate at which a queue drains: the estimate is a mean, and
	// what waits is late already.
	pace = 1.5
	// bucketSpan at that pace may leave at once, but leastBurst in any case: eight
	// packets, for which the smallest queues on the way have room.
	bucketSpan = 40 * time.Millisecond
	leastBurst = 8 * 1272
)

// Bucket says how much may leave now. While the rate is not limited everything may.
type Bucket struct {
	bps   int64 // 0: not limited
	depth int64 // bytes
	level int64 // bytes that may leave; negative when more left than was allowed
	at    time.Duration
}

// SetEstimate sets the rate from what the path carries; 0 lifts the limit.
func (b *Bucket) SetEstimate(bps int64) {
	if bps == 0 {
		*b = Bucket{at: b.at}
		return
	}
	fresh := b.bps == 0
	b.bps = int64(pace * float64(bps))
	b.depth = max(b.bps/8*int64(bucketSpan)/int64(time.Second), leastBurst)
	if fresh {
		b.level = b.depth
	}
	b.level = min(b.level, b.depth)
}

// Limited tells whether there is a rate.
func (b *Bucket) Limited() bool { return b.bps != 0 }

// Refill lets time pass.
func (b *Bucket) Refill(now time.Duration) {
	if b.bps != 0 {
		b.level = min(b.depth, b.level+int64(float64(b.bps)/8*(now-b.at).Seconds()))
	}
	b.at = now
}

// BytesIn is what leaves in d at most.
func (b *Bucket) BytesIn(d time.Duration) int {
	return int(float64(b.bps) / 8 * d.Seconds())
}

// Allows tells whether something may leave.
func (b *Bucket) Allows() bool { return b.bps == 0 || b.level > 0 }

// Take notes that bytes left.
func (b *Bucket) Take(bytes int) {
	if b.bps != 0 {
		b.level = max(b.level-int64(bytes), -b.depth)
	}
}
