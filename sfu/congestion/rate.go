package congestion

import (
	"math"
	"time"
)

// Constants of the rate controller (draft-ietf-rmcat-gcc-02 section 5.5).
const (
	decreaseTo      = 0.85 // of what arrived
	decreaseMost    = 0.5  // at once, of what was believed, while only few packets say so
	few             = 10
	increaseASecond = 0.08   // far from what the path is known to carry
	headroom        = 1.5    // the estimate rises no higher above what arrives
	headroomBps     = 10_000 // and a little, so that it can leave zero
	decreaseEvery   = 200 * time.Millisecond
	packetBits      = 8 * 1200
)

// throughput is what arrived lately, in slots of the receiver's time.
type throughput struct {
	slots [throughputSlots]int64 // bytes and, below, packets
	count [throughputSlots]int32
	slot  int64
	first int64
	any   bool
}

// The window is 500 ms: shorter ones see single frames, longer ones an old path.
const (
	throughputSlots = 10
	slotSpan        = 50 * time.Millisecond
)

func (t *throughput) add(at time.Duration, bytes int) {
	s := int64(at / slotSpan)
	if !t.any || s-t.slot >= 4*throughputSlots || t.slot-s >= throughputSlots {
		*t = throughput{slot: s, first: s, any: true} // silence, or another clock
	}
	for t.slot < s {
		t.slot++
		*t.at(t.slot) = 0
		t.count[t.place(t.slot)] = 0
	}
	*t.at(s) += int64(bytes)
	t.count[t.place(s)]++
}

// at is the place of a slot. The receiver's time is what it says it is, so slots
// may be negative.
func (t *throughput) at(slot int64) *int64 { return &t.slots[t.place(slot)] }

func (t *throughput) place(slot int64) int64 {
	return (slot%throughputSlots + throughputSlots) % throughputSlots
}

// packets in the window, the newest slot included.
func (t *throughput) packets() (n int) {
	for _, c := range t.count {
		n += int(c)
	}
	return n
}

// bps is the rate over the full slots of the window; 0 while there are too few.
func (t *throughput) bps() int64 {
	n := min(t.slot-t.first, throughputSlots-1)
	if !t.any || n < throughputSlots/2 {
		return 0
	}
	var sum int64
	for i := range n {
		sum += *t.at(t.slot - 1 - i)
	}
	return bitsPerSecond(sum, time.Duration(n)*slotSpan)
}

// peak is the highest rate over two slots in a row, the newest included.
func (t *throughput) peak() int64 {
	if !t.any {
		return 0
	}
	var most int64
	n := min(t.slot-t.first, throughputSlots-1)
	for i := range n {
		most = max(most, *t.at(t.slot - i)+*t.at(t.slot - i - 1))
	}
	return bitsPerSecond(most, 2*slotSpan)
}

// drained is what the path carried while there was a queue, given what arrived of
// all packets and of the late ones. A bottleneck lets late packets through at its
// rate, one behind the other. Where they come in heaps, twice as fast as they were
// sent and more, the way is free and somebody paused: a radio, or a receiver whose
// machine is busy. Then the heap shows what fits.
func drained(all, late *throughput) int64 {
	mean := all.bps()
	if heap := late.peak(); heap >= 2*mean {
		return heap
	}
	return mean
}

// delayRate is the estimate by delay.
//
//	         normal ──▶ rises: 8% a second, or by about a packet a round trip
//	overuse ──▶ 0.85 of what arrives     near what the path was seen to carry
//	underuse ──▶ stays: the queue is draining
type delayRate struct {
	bps         int64
	changed     time.Duration
	decreasedAt time.Duration
	// What the path carried when it was full: mean and deviation.
	capacity, deviation float64
	decreases           int
}

// update takes one judgement of the path. Two decreases are at least every apart.
func (r *delayRate) update(u usage, arrived int64, sure bool, rtt, every, now time.Duration) {
	passed := min(now-r.changed, time.Second)
	r.changed = now
	switch u {
	case overuse:
		if now-r.decreasedAt >= max(every, rtt) {
			r.decrease(arrived, sure, now)
		}
	case normal:
		r.increase(arrived, rtt, passed)
	}
}

func (r *delayRate) decrease(arrived int64, sure bool, now time.Duration) {
	r.decreasedAt = now
	r.decreases++
	to := r.bps
	if arrived > 0 {
		to = arrived
		r.learn(float64(arrived))
	}
	to = int64(decreaseTo * float64(to))
	if !sure {
		to = max(to, int64(decreaseMost*float64(r.bps)))
	}
	r.bps = min(r.bps, to)
}

// learn notes what arrived while the path was full.
func (r *delayRate) learn(arrived float64) {
	const weight = 0.05
	if r.capacity == 0 || math.Abs(arrived-r.capacity) > 3*r.deviation {
		r.capacity, r.deviation = arrived, 0.15*arrived
		return
	}
	r.capacity += weight * (arrived - r.capacity)
	r.deviation += weight * (math.Abs(arrived-r.capacity) - r.deviation)
	r.deviation = max(r.deviation, 0.05*r.capacity)
}

func (r *delayRate) increase(arrived int64, rtt, passed time.Duration) {
	if float64(arrived) > r.capacity+3*r.deviation {
		r.capacity = 0 // it carries more than it did
	}
	grown := float64(r.bps) * (1 + increaseASecond*passed.Seconds())
	if r.capacity > 0 && math.Abs(float64(r.bps)-r.capacity) <= 3*r.deviation {
		response := (rtt + 100*time.Millisecond).Seconds()
		grown = float64(r.bps) + packetBits/response*passed.Seconds()/2
	}
	most := int64(headroom*float64(arrived)) + headroomBps
	r.bps = max(r.bps, min(int64(grown), most))
}

// raise takes what a probe showed.
func (r *delayRate) raise(bps int64) {
	if bps > r.bps {
		r.bps = bps
		if float64(bps) > r.capacity+3*r.deviation {
			r.capacity = 0
		}
	}
}
