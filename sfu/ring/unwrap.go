package ring

// Unwrapper extends 16-bit sequence numbers to 64 bits. The zero value is ready.
// The first number becomes 65536 + seq, so that packets sent before it but
// arriving after it still have a positive extended number.
type Unwrapper struct {
	high    uint64
	started bool
}

// Extend returns the extended number of seq: the one nearest to the highest seen
// so far (RFC 3550 section A.1 with signed 16-bit distance), and moves the
// highest forward.
func (u *Unwrapper) Extend(seq uint16) uint64 {
	ext := u.Peek(seq)
	if !u.started || ext > u.high {
		u.high, u.started = ext, true
	}
	return ext
}

// Peek is Extend without remembering seq.
func (u *Unwrapper) Peek(seq uint16) uint64 {
	if !u.started {
		return 1<<16 + uint64(seq)
	}
	return uint64(int64(u.high) + int64(int16(seq-uint16(u.high))))
}

// Highest is the highest extended number seen; 0 before the first.
func (u *Unwrapper) Highest() uint64 { return u.high }

// Restart begins a new numbering at seq, two cycles above everything before, for
// a source that started over. It returns the new extended number.
func (u *Unwrapper) Restart(seq uint16) uint64 {
	u.high = (u.high>>16+2)<<16 + uint64(seq)
	u.started = true
	return u.high
}
