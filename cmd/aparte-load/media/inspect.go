package media

// KeyframeStart tells whether a VP8 payload begins a key frame (RFC 7741 section
// 4.2, RFC 6386 section 9.1).
func KeyframeStart(b []byte) bool {
	n := descriptorLen(b)
	if n == 0 || len(b) <= n {
		return false
	}
	first := b[0]&0x10 != 0 && b[0]&0x07 == 0
	return first && b[n]&1 == 0
}

// descriptorLen is the length of the payload descriptor, 0 when it is cut short.
func descriptorLen(b []byte) int {
	if len(b) < 1 {
		return 0
	}
	n := 1
	if b[0]&0x80 == 0 {
		return n
	}
	if len(b) < 2 {
		return 0
	}
	ext := b[1]
	n++
	if ext&0x80 != 0 {
		if len(b) <= n {
			return 0
		}
		if b[n]&0x80 != 0 {
			n++
		}
		n++
	}
	if ext&0x40 != 0 {
		n++
	}
	if ext&0x30 != 0 {
		n++
	}
	if len(b) < n {
		return 0
	}
	return n
}
