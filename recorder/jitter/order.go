package jitter

import (
	"time"
)

// Packet is one RTP packet as it was recorded.
type Packet struct {
	Seq       uint16
	Timestamp uint32
	Marker    bool
	Payload   []byte        // empty where only the number counts; ours from now on
	Arrival   time.Duration // in the recording's time
}

const (
	// Patience is how long a missing packet is waited for. The server asks for one for
	// 1.2 s and keeps what comes up to a second later.
	Patience = 3 * time.Second
	// maxWaiting bounds what is kept meanwhile: 3 s at 30 Mbit/s.
	maxWaiting = 8192
)

// waiting is a packet that is not due yet.
type waiting struct {
	Packet
	time int64 // the timestamp, extended
}

// order gives packets in the order of their numbers. Which one is the first is known
// only when nothing from before it can come any more.
type order struct {
	begun   bool
	settled bool          // next is known
	since   time.Duration // when the first came
	next    uint64        // extended number that is due
	high    uint64        // highest that came
	kept    map[uint64]waiting
	late    int // came after their place was passed
	twice   int
}

// extend is RFC 3550 A.1 with a signed distance; numbers begin above 65536, so that those
// before the first are positive, too.
func (o *order) extend(seq uint16) uint64 {
	if !o.begun {
		return 1<<16 + uint64(seq)
	}
	return uint64(int64(o.high) + int64(int16(seq-uint16(o.high))))
}

// push takes a packet and calls out for each that is due; gap tells that packets before
// it never came.
func (o *order) push(w waiting, out func(w waiting, gap bool)) {
	ext := o.extend(w.Seq)
	if !o.begun {
		o.begun, o.since, o.high, o.kept = true, w.Arrival, ext, map[uint64]waiting{}
	}
	o.high = max(o.high, ext)
	if o.settled && ext < o.next {
		o.late++
		return
	}
	if _, has := o.kept[ext]; has {
		o.twice++
		return
	}
	o.kept[ext] = w
	if len(o.kept) > maxWaiting {
		o.settle(out)
	}
	if !o.settled {
		return
	}
	o.release(out)
	for len(o.kept) > maxWaiting {
		o.skip(out)
	}
}

// settle begins with the lowest number there is.
func (o *order) settle(out func(w waiting, gap bool)) {
	if !o.settled && len(o.kept) > 0 {
		o.settled = true
		o.next, _ = o.lowest()
		o.release(out)
	}
}

// release gives what is due.
func (o *order) release(out func(w waiting, gap bool)) {
	for {
		w, has := o.kept[o.next]
		if !has {
			return
		}
		delete(o.kept, o.next)
		o.next++
		out(w, false)
	}
}

// expire gives up what is missing before packets that came before the time.
func (o *order) expire(before time.Duration, out func(w waiting, gap bool)) {
	if o.since < before {
		o.settle(out)
	}
	if !o.settled {
		return
	}
	for len(o.kept) > 0 {
		if _, w := o.lowest(); w.Arrival >= before {
			return
		}
		o.skip(out)
	}
}

// flush gives all there is.
func (o *order) flush(out func(w waiting, gap bool)) {
	o.settle(out)
	for len(o.kept) > 0 {
		o.skip(out)
	}
}

// skip goes over what is missing.
func (o *order) skip(out func(w waiting, gap bool)) {
	ext, w := o.lowest()
	delete(o.kept, ext)
	o.next = ext + 1
	out(w, true)
	o.release(out)
}

// lowest is the first packet behind the gap. It looks at all, which happens once for
// each gap.
func (o *order) lowest() (ext uint64, w waiting) {
	first := true
	for e, x := range o.kept {
		if first || e < ext {
			ext, w, first = e, x, false
		}
	}
	return ext, w
}
