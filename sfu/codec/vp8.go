package codec

// VP8Descriptor is the VP8 payload descriptor, RFC 7741 section 4.2.
type VP8Descriptor struct {
	// HeaderLen is the length of the descriptor in bytes; the VP8 payload
	// follows.
	HeaderLen uint8
	// HasPictureID, HasTL0PicIdx, HasTID and HasKeyIdx tell which optional
	// fields are there (I, L, T, K).
	HasPictureID, HasTL0PicIdx, HasTID, HasKeyIdx bool
	// LongPictureID is the M bit: 15 bits instead of 7.
	LongPictureID bool
	// Start is S with partition index 0: the first packet of a frame.
	Start bool
	// NonReference is N: the frame may be dropped without harm.
	NonReference bool
	// LayerSync is Y.
	LayerSync bool

	PictureID uint16 // 7 or 15 bits
	TL0PicIdx uint8
	TID       uint8 // 2 bits
	KeyIdx    uint8 // 5 bits
}

// ParseVP8 reads the payload descriptor. ok is false when the payload ends
// within it.
func ParseVP8(p []byte) (d VP8Descriptor, ok bool) {
	if len(p) < 1 {
		return d, false
	}
	first := p[0]
	d.NonReference = first&0x20 != 0
	d.Start = first&0x10 != 0 && first&0x0f == 0
	n := 1
	if first&0x80 == 0 { // X
		d.HeaderLen = 1
		return d, true
	}
	if len(p) < 2 {
		return d, false
	}
	ext := p[1]
	n++
	d.HasPictureID = ext&0x80 != 0
	d.HasTL0PicIdx = ext&0x40 != 0
	d.HasTID = ext&0x20 != 0
	d.HasKeyIdx = ext&0x10 != 0
	if d.HasPictureID {
		if len(p) <= n {
			return d, false
		}
		d.PictureID = uint16(p[n] & 0x7f)
		d.LongPictureID = p[n]&0x80 != 0
		n++
		if d.LongPictureID {
			if len(p) <= n {
				return d, false
			}
			d.PictureID = d.PictureID<<8 | uint16(p[n])
			n++
		}
	}
	if d.HasTL0PicIdx {
		if len(p) <= n {
			return d, false
		}
		d.TL0PicIdx = p[n]
		n++
	}
	if d.HasTID || d.HasKeyIdx {
		if len(p) <= n {
			return d, false
		}
		if d.HasTID {
			d.TID = p[n] >> 6
			d.LayerSync = p[n]&0x20 != 0
		}
		if d.HasKeyIdx {
			d.KeyIdx = p[n] & 0x1f
		}
		n++
	}
	d.HeaderLen = uint8(n)
	return d, true
}

// Rewrite writes picture id, TL0PICIDX and KEYIDX of to into the descriptor at
// the start of p, which d describes. Fields the descriptor does not have are
// left out, and a 7-bit picture id stays 7 bits wide: the length never changes,
// so a packet can be rewritten in place.
func (d VP8Descriptor) Rewrite(p []byte, to VP8Descriptor) {
	if int(d.HeaderLen) > len(p) {
		return
	}
	n := 2
	if d.HasPictureID {
		if d.LongPictureID {
			p[n] = 0x80 | byte(to.PictureID>>8)
			p[n+1] = byte(to.PictureID)
			n += 2
		} else {
			p[n] = byte(to.PictureID) & 0x7f
			n++
		}
	}
	if d.HasTL0PicIdx {
		p[n] = to.TL0PicIdx
		n++
	}
	if d.HasKeyIdx {
		p[n] = p[n]&0xe0 | to.KeyIdx&0x1f
	}
}

// Lengthen is Rewrite into a 15-bit picture id for a descriptor that has a 7-bit
// one: p with one byte more, appended to dst. Senders that begin with 7 bits and
// go on with 15 (Pion) need it when their ids are moved up.
func (d VP8Descriptor) Lengthen(dst, p []byte, to VP8Descriptor) []byte {
	if int(d.HeaderLen) > len(p) || !d.HasPictureID || d.LongPictureID {
		return append(dst, p...)
	}
	at := len(dst)
	dst = append(dst, p[:2]...)
	dst = append(dst, 0x80, 0)
	dst = append(dst, p[3:]...)
	d.LongPictureID = true
	d.HeaderLen++
	d.Rewrite(dst[at:], to)
	return dst
}

// inspectVP8 reads the descriptor and, at the start of a frame, the frame tag of
// RFC 6386 section 9.1 for key frame and size.
func inspectVP8(p []byte) (f Facts, ok bool) {
	d, ok := ParseVP8(p)
	if !ok || int(d.HeaderLen) >= len(p) {
		return f, false
	}
	f.VP8 = d
	f.Layered, f.TID = d.HasTID, d.TID
	f.FrameStart = d.Start
	if !d.Start {
		return f, true
	}
	body := p[d.HeaderLen:]
	f.Keyframe = body[0]&0x01 == 0
	if f.Keyframe && len(body) >= 10 && body[3] == 0x9d && body[4] == 0x01 && body[5] == 0x2a {
		f.Width = (uint16(body[6]) | uint16(body[7])<<8) & 0x3fff
		f.Height = (uint16(body[8]) | uint16(body[9])<<8) & 0x3fff
	}
	return f, true
}
