package jitter

// Times extends 32-bit RTP timestamps to 64 bits, in the order in which they come: each
// is the one nearest to the one before. The first stays as it is.
type Times struct {
	begun bool
	last  int64
}

// Extend returns the extended timestamp.
func (t *Times) Extend(ts uint32) int64 {
	if !t.begun {
		t.begun, t.last = true, int64(ts)
		return t.last
	}
	t.last += int64(int32(ts - uint32(t.last)))
	return t.last
}

// Peek is Extend of what is no packet's: it does not count for those that follow.
func (t *Times) Peek(ts uint32) int64 {
	return t.last + int64(int32(ts-uint32(t.last)))
}
