package codec

import "math/bits"

// bitReader reads bits, the highest of a byte first. Beyond the end it reads
// zeros and notes it.
type bitReader struct {
	p   []byte
	at  int // bits read
	bad bool
}

// read returns the next n bits, at most 32.
func (r *bitReader) read(n int) (v uint32) {
	if r.at+n > 8*len(r.p) {
		r.bad, r.at = true, 8*len(r.p)
		return 0
	}
	for n > 0 {
		left := 8 - r.at&7
		take := min(n, left)
		v = v<<take | uint32(r.p[r.at>>3])>>(left-take)&(1<<take-1)
		r.at += take
		n -= take
	}
	return v
}

func (r *bitReader) flag() bool { return r.read(1) != 0 }

// ns reads a value below n, AV1 section 4.10.7.
func (r *bitReader) ns(n uint32) uint32 {
	if n <= 1 {
		return 0
	}
	w := bits.Len32(n)
	m := uint32(1)<<w - n
	v := r.read(w - 1)
	if v < m {
		return v
	}
	return v<<1 - m + r.read(1)
}

// ue is an Exp-Golomb code, H.264 section 9.1.
func (r *bitReader) ue() uint32 {
	zeros := 0
	for !r.flag() {
		if zeros++; zeros > 31 || r.bad {
			r.bad = true
			return 0
		}
	}
	return 1<<zeros - 1 + r.read(zeros)
}

// se is a signed Exp-Golomb code, H.264 section 9.1.1.
func (r *bitReader) se() int32 {
	v := r.ue()
	if v&1 != 0 {
		return int32(v/2) + 1
	}
	return -int32(v / 2)
}

// bitWriter appends bits to p.
type bitWriter struct {
	p  []byte
	at int // bits of the last byte used, 0 to 7; 0 none is begun
}

// write appends the lowest n bits of v, at most 32.
func (w *bitWriter) write(v uint32, n int) {
	for n > 0 {
		if w.at == 0 {
			w.p = append(w.p, 0)
		}
		take := min(n, 8-w.at)
		b := v >> (n - take) & (1<<take - 1)
		w.p[len(w.p)-1] |= byte(b << (8 - w.at - take))
		w.at = (w.at + take) & 7
		n -= take
	}
}

// copy appends n bits of r.
func (w *bitWriter) copy(r *bitReader, n int) {
	for n > 0 {
		take := min(n, 32)
		w.write(r.read(take), take)
		n -= take
	}
}
