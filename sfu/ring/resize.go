package ring

// shrinkFactor: a ring that takes this many spans to go round is halved. Far
// above 2, so that a stream does not swing between two sizes.
const shrinkFactor = 6

// resize lets the ring follow the stream. The slots double when the packet ext
// would push out one younger than the span, the bytes when a round of them took
// less. Both halve when the oldest packet is much older.
func (r *Ring) resize(ext uint64, now int64) {
	slots, bytes := len(r.slots), len(r.data)
	if s := &r.slots[ext&r.mask()]; s.packet.ExtSeq != 0 && now-s.packet.Arrival < int64(r.cfg.Span) {
		slots = min(slots*2, r.cfg.MaxPackets)
	} else if r.arrivals > 0 && r.arrivals&r.mask() == 0 && r.oldestAge(now) > shrinkFactor*int64(r.cfg.Span) {
		slots = max(slots/2, r.cfg.MinPackets)
		bytes = max(bytes/2, r.cfg.MinBytes) // half the packets need half the bytes
	}
	if r.head+MaxPayload > r.bytesRound && bytes == len(r.data) {
		bytes = r.fit(bytes, now-r.bytesFirst, r.cfg.MinBytes, r.cfg.MaxBytes)
		r.bytesRound += uint64(bytes)
	}
	if slots != len(r.slots) || bytes != len(r.data) {
		r.relay(slots, bytes)
	}
}

// reach makes room for the late packet ext, which the slots no longer cover, when
// that is because they are too few for the span. It tells whether they cover it.
func (r *Ring) reach(ext, high uint64, now int64) bool {
	slots := len(r.slots)
	for ext+uint64(slots) <= high {
		if slots >= r.cfg.MaxPackets || r.oldestAge(now) >= int64(r.cfg.Span) {
			return false
		}
		slots *= 2
	}
	r.relay(slots, len(r.data))
	return true
}

// oldestAge is how long ago the oldest packet came that the order still names.
func (r *Ring) oldestAge(now int64) int64 {
	i := r.oldest()
	if ext := r.order[i&r.mask()]; ext != 0 {
		if s := &r.slots[ext&r.mask()]; s.packet.ExtSeq == ext {
			return now - s.packet.Arrival
		}
	}
	return 0
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
		ext := old.order[begin&old.mask()]
		if s.packet.ExtSeq != ext || !old.live(s) || ext+uint64(slots) <= r.seqs.Highest() {
			r.arrivals++ // a hole: readers count it as lost
			continue
		}
		var p Packet
		s.lend(&p, old.bytes(s))
		r.put(&p)
	}
	r.bytesRound = uint64(bytes)
}

// arrived is the slot of the i-th arrival.
func (r *Ring) arrived(i uint64) *slot {
	return &r.slots[r.order[i&r.mask()]&r.mask()]
}
