// Package measure counts and times: histograms, what /proc tells of a process, and
// what a Go server tells of its memory.
package measure

import (
	"math/bits"
	"sync/atomic"
	"time"
)

const (
	// subBuckets of every power of two: a percentile is at most 1/64 too high.
	subBits    = 6
	subBuckets = 1 << subBits
	// octaves up to 2^40 ns, 18 minutes.
	octaves = 41 - subBits
)

// Histogram counts durations by size, as HDR histograms do: exactly below 64 ns,
// above that in 64 steps for every power of two. The zero value is empty. It may be
// used from any goroutine.
type Histogram struct {
	counts [octaves * subBuckets]atomic.Uint64
	n      atomic.Uint64
	max    atomic.Int64
}

// Add counts d; a negative one as 0.
func (h *Histogram) Add(d time.Duration) {
	d = max(d, 0)
	h.counts[bucket(uint64(d))].Add(1)
	h.n.Add(1)
	for {
		old := h.max.Load()
		if int64(d) <= old || h.max.CompareAndSwap(old, int64(d)) {
			return
		}
	}
}

func bucket(v uint64) int {
	shift := max(bits.Len64(v)-subBits-1, 0)
	i := shift*subBuckets + int(v>>shift)
	return min(i, octaves*subBuckets-1)
}

// upper is the largest value of a bucket.
func upper(i int) int64 {
	shift := max(i/subBuckets-1, 0)
	return (int64(i-shift*subBuckets)+1)<<shift - 1
}

// Count is how many were added.
func (h *Histogram) Count() uint64 { return h.n.Load() }

// Max is the longest, exactly.
func (h *Histogram) Max() time.Duration { return time.Duration(h.max.Load()) }

// Quantile is the duration that the share q, 0 to 1, did not exceed; 0 when empty.
func (h *Histogram) Quantile(q float64) time.Duration {
	n := h.n.Load()
	if n == 0 {
		return 0
	}
	rank := max(uint64(q*float64(n)+0.999999), 1)
	for i := range h.counts {
		c := h.counts[i].Load()
		if c >= rank {
			return time.Duration(min(upper(i), h.max.Load()))
		}
		rank -= c
	}
	return h.Max()
}

// Summary is what a report shows of a histogram.
type Summary struct {
	Count uint64        `json:"count"`
	P50   time.Duration `json:"p50_ns"`
	P95   time.Duration `json:"p95_ns"`
	P99   time.Duration `json:"p99_ns"`
	Max   time.Duration `json:"max_ns"`
}

// Summary reads the usual quantiles.
func (h *Histogram) Summary() Summary {
	return Summary{Count: h.Count(), P50: h.Quantile(0.50), P95: h.Quantile(0.95), P99: h.Quantile(0.99), Max: h.Max()}
}
