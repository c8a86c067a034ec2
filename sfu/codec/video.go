package codec

// NAL unit types of RFC 6184 section 5.2 and H.264 table 7-1.
const (
	nalIDR   = 5
	nalSPS   = 7
	nalSTAPA = 24
	nalFUA   = 28
)

// h264Keyframe tells whether a decoder may start at this packet. That is the
// packet with the SPS; streams whose parameter sets travel in the SDP have none,
// so the start of an IDR slice counts too.
func h264Keyframe(p []byte) (key, ok bool) {
	switch typ := p[0] & 0x1f; typ {
	case 0, 30, 31:
		return false, false
	case nalSTAPA:
		rest := p[1:]
		for len(rest) > 2 {
			size := int(rest[0])<<8 | int(rest[1])
			rest = rest[2:]
			if size == 0 || size > len(rest) {
				return key, false
			}
			if t := rest[0] & 0x1f; t == nalSPS || t == nalIDR {
				key = true
			}
			rest = rest[size:]
		}
		return key, len(rest) == 0 && len(p) > 1
	case nalFUA:
		if len(p) < 2 {
			return false, false
		}
		start := p[1]&0x80 != 0
		t := p[1] & 0x1f
		return start && (t == nalSPS || t == nalIDR), true
	default:
		return typ == nalSPS || typ == nalIDR, true
	}
}

// inspectVP9 reads the first bytes of the payload descriptor, RFC 9628 section
// 4.2: a key frame starts where nothing is predicted (P=0), a frame begins (B=1)
// and the spatial layer is the lowest.
func inspectVP9(p []byte) (f Facts, ok bool) {
	const (
		bitI = 0x80
		bitP = 0x40
		bitL = 0x20
		bitB = 0x08
	)
	first := p[0]
	n := 1
	if first&bitI != 0 {
		if len(p) <= n {
			return f, false
		}
		if p[n]&0x80 != 0 {
			n++
		}
		n++
	}
	sid := uint8(0)
	if first&bitL != 0 {
		if len(p) <= n {
			return f, false
		}
		f.TID = p[n] >> 5
		sid = p[n] >> 1 & 0x07
	}
	f.FrameStart = first&bitB != 0
	f.Keyframe = first&bitP == 0 && f.FrameStart && sid == 0
	return f, len(p) > n
}
