package codec

// NAL unit types of RFC 6184 section 5.2 and H.264 table 7-1.
const (
	nalSlice = 1 // to 4: not of an IDR picture
	nalIDR   = 5
	nalSPS   = 7
	nalSTAPA = 24
	nalFUA   = 28
)

// inspectH264 reads the NAL units of a packet in packetization modes 0 and 1. A key
// frame begins with its sequence parameter set: the packet with the SPS is marked,
// and IDR slices are told apart, because some senders give their parameter sets in
// the SDP alone.
func inspectH264(p []byte) (f Facts, ok bool) {
	switch typ := p[0] & 0x1f; {
	case typ == nalSTAPA:
		return stapA(p[1:])
	case typ == nalFUA:
		if len(p) < 3 {
			return f, false
		}
		start := p[1]&0x80 != 0
		f.IDR = start && p[1]&0x1f == nalIDR
		f.Keyframe = start && p[1]&0x1f == nalSPS
		return f, true
	case typ == 0 || typ > nalSTAPA-1:
		return f, false
	case typ == nalSPS:
		f.Keyframe = true
		f.Width, f.Height = spsSize(p)
	case typ == nalIDR:
		f.IDR = true
	}
	return f, true
}

// stapA walks an aggregation packet, RFC 6184 section 5.7.1. Parameter sets before
// a picture that is no IDR make no key frame.
func stapA(p []byte) (f Facts, ok bool) {
	other := false
	for len(p) > 2 {
		size := int(p[0])<<8 | int(p[1])
		p = p[2:]
		if size == 0 || size > len(p) {
			return f, false
		}
		switch typ := p[0] & 0x1f; {
		case typ == nalSPS:
			f.Keyframe = true
			f.Width, f.Height = spsSize(p[:size])
		case typ == nalIDR:
			f.IDR = true
		case typ >= nalSlice && typ < nalIDR:
			other = true
		}
		ok = true
		p = p[size:]
	}
	f.Keyframe = f.Keyframe && !other
	return f, ok && len(p) == 0
}

// maxSPS bytes are looked at; browsers' have about 30.
const maxSPS = 256

// spsSize reads the size of the picture from a sequence parameter set, H.264
// section 7.3.2.1.1; 0, 0 when it does not parse.
func spsSize(nal []byte) (width, height uint16) {
	var plain [maxSPS]byte
	r := bitReader{p: plain[:unescape(plain[:], nal[1:])]}
	profile := r.read(8)
	r.read(16) // constraints, level
	r.ue()     // id
	chroma, planes := uint32(1), false
	switch profile {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
		if chroma = r.ue(); chroma == 3 {
			planes = r.flag()
		}
		r.ue()
		r.ue()
		r.flag()
		if r.flag() {
			skipScalingLists(&r, chroma)
		}
	}
	r.ue() // log2_max_frame_num
	switch r.ue() {
	case 0:
		r.ue()
	case 1:
		r.flag()
		r.se()
		r.se()
		for n := r.ue(); n > 0 && !r.bad; n-- {
			r.se()
		}
	}
	r.ue() // reference frames
	r.flag()
	w := 16 * (int64(r.ue()) + 1)
	h := 16 * (int64(r.ue()) + 1)
	field := int64(1) // rows of a map unit
	if !r.flag() {
		field = 2
		r.flag()
	}
	h *= field
	r.flag()
	if r.flag() { // cropping, in units of a chroma sample
		x, y := int64(1), field
		if chroma == 1 || chroma == 2 {
			x = 2
		}
		if chroma == 1 {
			y *= 2
		}
		if planes {
			x, y = 1, field
		}
		w -= x * (int64(r.ue()) + int64(r.ue()))
		h -= y * (int64(r.ue()) + int64(r.ue()))
	}
	if r.bad || w <= 0 || h <= 0 || w > 1<<15 || h > 1<<15 {
		return 0, 0
	}
	return uint16(w), uint16(h)
}

// skipScalingLists is H.264 section 7.3.2.1.1.1.
func skipScalingLists(r *bitReader, chroma uint32) {
	lists := 8
	if chroma == 3 {
		lists = 12
	}
	for i := range lists {
		if !r.flag() {
			continue
		}
		size := 16
		if i >= 6 {
			size = 64
		}
		last, next := int32(8), int32(8)
		for range size {
			if next != 0 {
				next = (last + r.se()) & 0xff
			}
			if next != 0 {
				last = next
			}
		}
	}
}

// unescape takes the emulation prevention bytes out, H.264 section 7.4.1.
func unescape(to, from []byte) (n int) {
	zeros := 0
	for _, b := range from {
		if zeros >= 2 && b == 3 {
			zeros = 0
			continue
		}
		if n == len(to) {
			break
		}
		if zeros++; b != 0 {
			zeros = 0
		}
		to[n] = b
		n++
	}
	return n
}
