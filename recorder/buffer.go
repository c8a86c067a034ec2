package recorder

// chunkLen is how many bytes of records are kept in one piece: more than the longest
// record has.
const chunkLen = 256 << 10

// reserve is how many chunks more than packets may have what explains them, so that a
// disk that is slow for a while costs pictures and no names or consents.
const reserve = 4

// chunk is a piece of journal: whole records.
type chunk struct {
	b       []byte
	packets uint64
	bytes   uint64 // of those packets
}

// buffer is what has arrived and is not yet on the disk. Packets come in on one side
// and chunks go out on the other; whoever has the buffer's lock never waits for more
// than a copy. It keeps its memory, so that a packet costs no allocation.
//
// The recording's mu guards it.
type buffer struct {
	limit int      // chunks that packets may use
	used  int      // chunks that are in full, current, or being written
	full  []*chunk // the oldest first
	now   *chunk   // which is being filled; nil if nothing has come
	free  []*chunk
}

// fit is the chunk to which a record of n bytes is to be appended, or nil if there is
// no room. vital is for what is no packet.
func (b *buffer) fit(n int, vital bool) *chunk {
	if b.now != nil && len(b.now.b)+n <= chunkLen {
		return b.now
	}
	limit := b.limit
	if vital {
		limit += reserve
	}
	if b.used >= limit {
		return nil
	}
	if b.now != nil {
		b.full = append(b.full, b.now)
	}
	if last := len(b.free) - 1; last >= 0 {
		b.now, b.free = b.free[last], b.free[:last]
	} else {
		b.now = &chunk{b: make([]byte, 0, chunkLen)}
	}
	b.used++
	return b.now
}

// take moves up to n chunks to into, the oldest first.
func (b *buffer) take(into []*chunk, n int) []*chunk {
	if len(b.full) < n && b.now != nil {
		b.full, b.now = append(b.full, b.now), nil
	}
	n = min(n, len(b.full))
	into = append(into, b.full[:n]...)
	b.full = append(b.full[:0], b.full[n:]...)
	return into
}

// give takes back chunks that have been written. It keeps as many as were in use just
// now, so that a burst does not hold its memory for ever.
func (b *buffer) give(chunks []*chunk) {
	b.used -= len(chunks)
	keep := len(chunks) + b.used + 1
	for _, c := range chunks {
		if len(b.free) >= keep {
			break
		}
		c.b, c.packets, c.bytes = c.b[:0], 0, 0
		b.free = append(b.free, c)
	}
	for len(b.free) > keep {
		b.free[len(b.free)-1] = nil
		b.free = b.free[:len(b.free)-1]
	}
}

// drop forgets everything, and says how many packets that was.
func (b *buffer) drop() (packets uint64) {
	if b.now != nil {
		b.full = append(b.full, b.now)
	}
	for _, c := range b.full {
		packets += c.packets
	}
	b.used -= len(b.full)
	b.full, b.now, b.free = nil, nil, nil
	return packets
}
