package ring

// shrinkFactor: a ring that takes this many spans to go round is halved. Far
// above 2, so that a stream does not swing between two sizes.
const shrinkFactor = 6

// resize lets the ring follow the stream: each time the slots or the bytes have
// been gone round, the age of what is overwritten next says how long packets stay.
func (r *Ring) resize(now int64) {
	slots, bytes := len(r.slots), len(r.data)
	if r.arrivals > 0 && r.arrivals&r.mask() == 0 {
		ext := r.order[0]
		if s := &r.slots[ext&r.mask()]; ext != 0 && s.packet.ExtSeq == ext {
			age := now - s.packet.Arrival
			slots = r.fit(slots, age, r.cfg.MinPackets, r.cfg.MaxPackets)
			if age > shrinkFactor*int64(r.cfg.Span) {
				bytes = max(bytes/2, r.cfg.MinBytes) // half the packets need half the bytes
			}
		}
	}
	if r.head+MaxPayload > r.bytesRound && bytes == len(r.data) {
		bytes = r.fit(bytes, now-r.bytesFirst, r.cfg.MinBytes, r.cfg.MaxBytes)
		r.bytesRound += uint64(bytes)
	}
	if slots != len(r.slots) || bytes != len(r.data) {
		r.relay(slots, bytes)
	}
}

// fit returns the next size of something whose oldest entry has the age.
func (r *Ring) fit(size int, age int64, low, high int) int {
	switch span := int64(r.cfg.Span); {
	case age < span:
		return min(size*2, high)
	case age > shrinkFactor*span:
		return max(size/2, low)
	}
	return size
}

// relay moves what is there, in order of arrival, into new arrays. Arrival
// numbers stay, so that readers' cursors stay valid.
func (r *Ring) relay(slots, bytes int) {
	old := &Ring{slots: r.slots, order: r.order, data: r.data, head: r.head}
	r.slots = make([]slot, slots)
	r.order = make([]uint64, slots)
	r.data = make([]byte, bytes)
	r.head = 0

	end := r.arrivals
	begin := end - min(end, uint64(len(old.slots)), uint64(slots))
	total := 0
	for i := begin; i < end; i++ {
		total += int(old.arrived(i).length)
	}
	// Leave out the oldest that no longer fit; the end of the byte ring and the
	// next packet may each waste one payload.
	for ; total > bytes-2*MaxPayload && begin < end; begin++ {
		total -= int(old.arrived(begin).length)
	}
	for r.arrivals = begin; begin < end; begin++ {
		s := old.arrived(begin)
		if s.packet.ExtSeq != old.order[begin&old.mask()] || !old.live(s) {
			r.arrivals++ // a hole: readers count it as lost
			continue
		}
		p := s.packet
		at := s.off & uint64(len(old.data)-1)
		p.Payload = old.data[at : at+uint64(s.length)]
		r.put(&p)
	}
	r.bytesRound = uint64(bytes)
}

// arrived is the slot of the i-th arrival.
func (r *Ring) arrived(i uint64) *slot {
	return &r.slots[r.order[i&r.mask()]&r.mask()]
}
