package codec

// AV1Aggregation is the aggregation header, AV1 RTP specification section 4.4.
type AV1Aggregation struct {
	// Continues is Z: the first OBU element goes on from the packet before.
	Continues bool
	// Unfinished is Y: the last element goes on in the next packet.
	Unfinished bool
	// Elements is W: how many there are; 0 when each has its length in front.
	Elements uint8
	// NewSequence is N: the first packet of a coded video sequence, which begins
	// with a key frame.
	NewSequence bool
}

// ParseAV1 reads the aggregation header and walks the OBU elements. ok is false
// when they do not fit the payload.
func ParseAV1(p []byte) (a AV1Aggregation, ok bool) {
	if len(p) < 2 {
		return a, false
	}
	a.Continues = p[0]&0x80 != 0
	a.Unfinished = p[0]&0x40 != 0
	a.Elements = p[0] >> 4 & 0x03
	a.NewSequence = p[0]&0x08 != 0
	if a.Continues && a.NewSequence {
		return a, false
	}
	rest := p[1:]
	for i := uint8(1); len(rest) > 0; i++ {
		if i == a.Elements { // the last one has no length
			return a, true
		}
		size, n := leb128(rest)
		if n == 0 || size > uint64(len(rest)-n) {
			return a, false
		}
		rest = rest[n+int(size):]
	}
	return a, a.Elements == 0
}

// leb128 reads a length, AV1 section 4.10.5. n is 0 when there is none.
func leb128(p []byte) (v uint64, n int) {
	for i := 0; i < len(p) && i < 5; i++ {
		v |= uint64(p[i]&0x7f) << (7 * i)
		if p[i]&0x80 == 0 {
			return v, i + 1
		}
	}
	return 0, 0
}
