package jitter

import (
	"cmp"
	"slices"
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
	// absence: after so long without packets, as in a pause of the recording, whatever
	// comes is new, however far its number is from the last.
	absence = 10 * time.Second
	// maxWaiting bounds what is kept meanwhile: 3 s at 30 Mbit/s.
	maxWaiting = 8192
)

// waiting is a packet that is not due yet.
type waiting struct {
	Packet
	ext  uint64 // the number, extended
	time int64  // the timestamp, extended
}

// order gives packets in the order of their numbers. Which one is the first is known
// only when nothing from before it can come any more.
type order struct {
	begun   bool
	settled bool          // next is known
	since   time.Duration // when the first came
	newest  time.Duration // when the last came
	next    uint64        // extended number that is due
	high    uint64        // highest that came
	kept    []waiting     // by number
	late    int           // came after their place was passed
	twice   int
}

// extend is RFC 3550 A.1 with a signed distance; numbers begin above 65536, so that those
// before the first are positive, too.
func (o *order) extend(seq uint16, at time.Duration) uint64 {
	switch {
	case !o.begun:
		return 1<<16 + uint64(seq)
	case at-o.newest > absence:
		return o.high + uint64(seq-uint16(o.high))
	}
	return uint64(int64(o.high) + int64(int16(seq-uint16(o.high))))
}

// push takes a packet and calls out for each that is due; gap tells that packets before
// it never came.
func (o *order) push(w waiting, out func(w waiting, gap bool)) {
	w.ext = o.extend(w.Seq, w.Arrival)
	o.newest = max(o.newest, w.Arrival)
	if !o.begun {
		o.begun, o.since, o.high = true, w.Arrival, w.ext
	}
	o.high = max(o.high, w.ext)
	if o.settled && w.ext < o.next {
		o.late++
		return
	}
	at, has := slices.BinarySearchFunc(o.kept, w.ext, func(x waiting, ext uint64) int { return cmp.Compare(x.ext, ext) })
	if has {
		o.twice++
		return
	}
	o.kept = slices.Insert(o.kept, at, w)
	full := len(o.kept) > maxWaiting
	o.settled = o.settled || full
	o.release(full, out)
}

// release gives what is due. With skip it goes over what is missing before the first
// there is.
func (o *order) release(skip bool, out func(w waiting, gap bool)) {
	if !o.settled || len(o.kept) == 0 {
		return
	}
	if o.next == 0 {
		o.next = o.kept[0].ext // the very first
	}
	n := 0
	for _, w := range o.kept {
		if w.ext != o.next && !skip {
			break
		}
		out(w, w.ext != o.next)
		o.next, skip = w.ext+1, false
		n++
	}
	clear(o.kept[:n])
	if o.kept = o.kept[n:]; len(o.kept) == 0 {
		o.kept = nil
	}
}

// expire gives up what is missing before packets that came before the time.
func (o *order) expire(before time.Duration, out func(w waiting, gap bool)) {
	o.settled = o.settled || o.begun && o.since < before
	o.release(false, out)
	for o.settled && len(o.kept) > 0 && o.kept[0].Arrival < before {
		o.release(true, out)
	}
}

// flush gives all there is.
func (o *order) flush(out func(w waiting, gap bool)) {
	o.settled = true
	o.release(false, out)
	for len(o.kept) > 0 {
		o.release(true, out)
	}
}
