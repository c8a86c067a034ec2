package ring

import "math"

// Batch is a reader's own copy of packets. Reuse it: reading allocates nothing.
type Batch struct {
	Packets []Packet
	buf     []byte
	used    int
}

// NewBatch returns a batch for at most packets packets and bytes payload bytes
// (at least one packet of MaxPayload).
func NewBatch(packets, bytes int) *Batch {
	return &Batch{
		Packets: make([]Packet, 0, max(packets, 1)),
		buf:     make([]byte, max(bytes, MaxPayload)),
	}
}

// Reset empties the batch; the payloads read before become invalid.
func (b *Batch) Reset() {
	b.Packets = b.Packets[:0]
	b.used = 0
}

// Full tells whether the batch may not take one more packet of any size.
func (b *Batch) Full() bool {
	return len(b.Packets) == cap(b.Packets) || len(b.buf)-b.used < MaxPayload
}

// Read appends to b the packets that arrived since cursor, in order of arrival,
// until b is full. It returns the cursor to go on from, and how many packets were
// overwritten before this reader came.
func (r *Ring) Read(cursor uint64, b *Batch) (next uint64, lost int) {
	return r.ReadUntil(cursor, math.MaxUint64, b)
}

// ReadUntil is Read of what arrived before the cursor end.
func (r *Ring) ReadUntil(cursor, end uint64, b *Batch) (next uint64, lost int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	end = min(end, r.arrivals)
	if oldest := min(r.oldest(), end); cursor < oldest {
		lost = int(oldest - cursor)
		cursor = oldest
	}
	for cursor < end && !b.Full() {
		ext := r.order[cursor&r.mask()]
		s := &r.slots[ext&r.mask()]
		cursor++
		if s.packet.ExtSeq != ext || !r.live(s) {
			lost++
			continue
		}
		n := len(b.Packets)
		b.Packets = b.Packets[:n+1]
		r.copyOut(s, &b.Packets[n], b.buf[b.used:])
		b.used += int(s.length)
	}
	return cursor, lost
}

// oldest is the arrival number of the oldest entry in order.
func (r *Ring) oldest() uint64 {
	if n := uint64(len(r.slots)); r.arrivals > n {
		return r.arrivals - n
	}
	return 0
}
