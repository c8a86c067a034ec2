package codec

// VP9Descriptor is the VP9 payload descriptor, RFC 9628 section 4.2.
type VP9Descriptor struct {
	// HeaderLen is the length of the descriptor in bytes, the scalability
	// structure included; the VP9 payload follows. 0: no VP9.
	HeaderLen uint16
	// HasPictureID, HasLayers, HasTL0PicIdx and HasStructure tell which optional
	// fields are there (I, L, L without F, V).
	HasPictureID, HasLayers, HasTL0PicIdx, HasStructure bool
	// LongPictureID is the M bit: 15 bits instead of 7.
	LongPictureID bool
	// InterPicture is P: the frame needs earlier pictures.
	InterPicture bool
	// Flexible is F: the frame names its references itself.
	Flexible bool
	// Start and End are B and E: the first and the last packet of a frame, which
	// is one spatial layer of a picture.
	Start, End bool
	// SwitchUp is U: higher temporal layers after this picture need nothing of
	// theirs from before it.
	SwitchUp bool
	// InterLayer is D: the frame needs the next lower spatial layer of its picture.
	InterLayer bool

	TID, SID  uint8  // 3 bits each
	PictureID uint16 // 7 or 15 bits
	TL0PicIdx uint8

	structureAt uint16
}

// ParseVP9 reads the payload descriptor. ok is false when the payload ends within
// it, or says what cannot be.
func ParseVP9(p []byte) (d VP9Descriptor, ok bool) {
	if len(p) < 1 {
		return d, false
	}
	first := p[0]
	d.HasPictureID = first&0x80 != 0
	d.InterPicture = first&0x40 != 0
	d.HasLayers = first&0x20 != 0
	d.Flexible = first&0x10 != 0
	d.Start = first&0x08 != 0
	d.End = first&0x04 != 0
	d.HasStructure = first&0x02 != 0
	d.HasTL0PicIdx = d.HasLayers && !d.Flexible
	n := 1
	if d.HasPictureID {
		if len(p) <= n+1 {
			return d, false
		}
		d.PictureID = uint16(p[n] & 0x7f)
		if d.LongPictureID = p[n]&0x80 != 0; d.LongPictureID {
			d.PictureID = d.PictureID<<8 | uint16(p[n+1])
			n++
		}
		n++
	}
	if d.HasLayers {
		if len(p) <= n+1 {
			return d, false
		}
		d.TID, d.SID = p[n]>>5, p[n]>>1&0x07
		d.SwitchUp, d.InterLayer = p[n]&0x10 != 0, p[n]&0x01 != 0
		n++
		if d.HasTL0PicIdx {
			d.TL0PicIdx = p[n]
			n++
		}
	}
	if d.Flexible && !d.HasPictureID {
		return d, false // section 4.2: references are differences of picture ids
	}
	if d.Flexible && d.InterPicture {
		for i := 0; ; i++ {
			if len(p) <= n || i == 3 {
				return d, false
			}
			n++
			if p[n-1]&0x01 == 0 {
				break
			}
		}
	}
	d.structureAt = uint16(n)
	if d.HasStructure {
		if n, ok = structureEnd(p, n); !ok {
			return d, false
		}
	}
	d.HeaderLen = uint16(n)
	return d, true
}

// structureEnd walks the scalability structure at n, RFC 9628 section 4.2.1.
func structureEnd(p []byte, n int) (end int, ok bool) {
	if len(p) <= n {
		return 0, false
	}
	head := p[n]
	n++
	if head&0x10 != 0 { // Y: sizes
		n += 4 * (int(head>>5) + 1)
	}
	if head&0x08 != 0 { // G: a group of pictures
		if len(p) <= n {
			return 0, false
		}
		pictures := int(p[n])
		n++
		for range pictures {
			if len(p) <= n {
				return 0, false
			}
			n += 1 + int(p[n]>>2&0x03)
		}
	}
	return n, n <= len(p)
}

// Sizes are the spatial layers that the scalability structure of p names, which d
// describes, and their sizes in pixels; 0 where it does not tell. ok is false
// without a structure.
func (d *VP9Descriptor) Sizes(p []byte) (layers int, sizes [MaxSpatials]Size, ok bool) {
	if !d.HasStructure || int(d.HeaderLen) > len(p) {
		return 0, sizes, false
	}
	head := p[d.structureAt]
	layers = min(int(head>>5)+1, MaxSpatials)
	if head&0x10 == 0 {
		return layers, sizes, true
	}
	for i := range layers {
		b := p[int(d.structureAt)+1+4*i:]
		sizes[i] = Size{uint16(b[0])<<8 | uint16(b[1]), uint16(b[2])<<8 | uint16(b[3])}
	}
	return layers, sizes, true
}

// Rewrite writes picture id and TL0PICIDX into the descriptor at the start of p,
// which d describes. Fields that are not there are left out, and a 7-bit picture id
// stays 7 bits wide: the length never changes.
func (d *VP9Descriptor) Rewrite(p []byte, pictureID uint16, tl0 uint8) {
	if int(d.HeaderLen) > len(p) {
		return
	}
	n := 1
	switch {
	case d.HasPictureID && d.LongPictureID:
		p[n] = 0x80 | byte(pictureID>>8)
		p[n+1] = byte(pictureID)
		n += 2
	case d.HasPictureID:
		p[n] = byte(pictureID) & 0x7f
		n++
	}
	if d.HasTL0PicIdx {
		p[n+1] = tl0
	}
}

// inspectVP9: a key frame starts where nothing is predicted and the spatial layer
// is the lowest; the layers above it in the same picture need nothing else.
func inspectVP9(p []byte) (f Facts, ok bool) {
	d, ok := ParseVP9(p)
	if !ok || int(d.HeaderLen) >= len(p) {
		return f, false
	}
	f.VP9 = d
	f.Layered = d.HasLayers
	f.TID, f.SID = min(d.TID, MaxTemporals-1), min(d.SID, MaxSpatials-1)
	f.FrameStart, f.FrameEnd = d.Start, d.End
	f.Keyframe = !d.InterPicture && d.Start && d.SID == 0
	return f, true
}
