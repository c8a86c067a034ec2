package mux

import (
	"errors"

	"github.com/pion/rtp/codecs/av1/obu"
)

// sequence is what a file says of an AV1 sequence header OBU (AV1 5.5).
type sequence struct {
	profile, level, tier   uint32
	highBits, twelve, mono bool
	subX, subY             bool
	position               uint32
	width, height          int
}

var errSequence = errors.New("a key frame without an AV1 sequence header")

// av1Configuration is the AV1CodecConfigurationRecord of the AV1 ISOBMFF binding, 2.3.
func av1Configuration(frame []byte) ([]byte, error) {
	whole := sequenceHeader(frame)
	s, err := parseSequence(payloadOf(whole))
	if err != nil {
		return nil, err
	}
	bit := func(b bool, at int) byte {
		if b {
			return 1 << at
		}
		return 0
	}
	return append([]byte{
		0x81,
		byte(s.profile<<5 | s.level),
		byte(s.tier<<7) | bit(s.highBits, 6) | bit(s.twelve, 5) | bit(s.mono, 4) | bit(s.subX, 3) | bit(s.subY, 2) | byte(s.position),
		0,
	}, whole...), nil
}

// sequenceHeader finds the OBU in a frame whose OBUs have sizes; nil where there is none.
func sequenceHeader(frame []byte) []byte {
	for len(frame) > 0 {
		h, err := obu.ParseOBUHeader(frame)
		if err != nil || !h.HasSizeField || h.Size() > len(frame) {
			return nil
		}
		n, length, err := obu.ReadLeb128(frame[h.Size():])
		if err != nil {
			return nil
		}
		begin := h.Size() + int(length)
		if uint64(n) > uint64(len(frame)-begin) {
			return nil
		}
		if h.Type == obu.OBUSequenceHeader {
			return frame[:begin+int(n)]
		}
		frame = frame[begin+int(n):]
	}
	return nil
}

// payloadOf is what is in an OBU that sequenceHeader found.
func payloadOf(whole []byte) []byte {
	h, err := obu.ParseOBUHeader(whole)
	if err != nil {
		return nil
	}
	_, length, err := obu.ReadLeb128(whole[h.Size():])
	if err != nil {
		return nil
	}
	return whole[h.Size()+int(length):]
}

// parseSequence reads a sequence header to the end of its colours. f is how the
// specification names what it reads.
func parseSequence(p []byte) (s sequence, err error) {
	r := &bits{p: p}
	s.profile = r.f(3)
	r.f(1) // still_picture
	reduced := r.flag()
	if reduced {
		s.level = r.f(5)
	} else {
		s.operatingPoints(r)
	}
	w, h := int(r.f(4))+1, int(r.f(4))+1
	s.width, s.height = int(r.f(w))+1, int(r.f(h))+1
	if !reduced && r.flag() { // frame_id_numbers_present_flag
		r.f(7)
	}
	r.f(3) // superblocks, intra filters
	if !reduced {
		skipTools(r)
	}
	r.f(3) // superres, cdef, restoration
	s.colours(r)
	if r.short {
		return sequence{}, errSequence
	}
	return s, nil
}

func (s *sequence) operatingPoints(r *bits) {
	model, delay := false, 0
	if r.flag() { // timing_info_present_flag
		r.f(32)
		r.f(32)
		if r.flag() { // equal_picture_interval
			r.uvlc()
		}
		if model = r.flag(); model {
			delay = int(r.f(5)) + 1
			r.f(32)
			r.f(10)
		}
	}
	display := r.flag()
	for i := range r.f(5) + 1 {
		r.f(12)
		level, tier := r.f(5), uint32(0)
		if level > 7 {
			tier = r.f(1)
		}
		if i == 0 {
			s.level, s.tier = level, tier
		}
		if model && r.flag() {
			r.f(delay)
			r.f(delay)
			r.f(1)
		}
		if display && r.flag() {
			r.f(4)
		}
	}
}

// skipTools goes over what a sequence may use.
func skipTools(r *bits) {
	r.f(4)
	hints := r.flag()
	if hints {
		r.f(2)
	}
	const chosenByFrame = 2
	screen := uint32(chosenByFrame)
	if !r.flag() {
		screen = r.f(1)
	}
	if screen > 0 && !r.flag() { // seq_choose_integer_mv
		r.f(1)
	}
	if hints {
		r.f(3)
	}
}

// colours is color_config, AV1 5.5.2.
func (s *sequence) colours(r *bits) {
	s.highBits = r.flag()
	s.twelve = s.profile == 2 && s.highBits && r.flag()
	s.mono = s.profile != 1 && r.flag()
	rgb := false
	if r.flag() { // color_description_present_flag
		const bt709, srgb, identity = 1, 13, 0
		primaries, transfer, matrix := r.f(8), r.f(8), r.f(8)
		rgb = primaries == bt709 && transfer == srgb && matrix == identity
	}
	switch {
	case s.mono:
		r.f(1)
		s.subX, s.subY = true, true
		return
	case rgb:
		return
	}
	r.f(1) // color_range
	switch {
	case s.profile == 0:
		s.subX, s.subY = true, true
	case s.profile == 2 && s.twelve:
		s.subX = r.flag()
		s.subY = s.subX && r.flag()
	case s.profile == 2:
		s.subX = true
	}
	if s.subX && s.subY {
		s.position = r.f(2)
	}
}

// bits reads bits, the highest of a byte first. Beyond the end it reads zeros and notes
// it.
type bits struct {
	p     []byte
	at    int
	short bool
}

// f reads n bits, at most 32.
func (r *bits) f(n int) (v uint32) {
	for range n {
		v <<= 1
		if r.at >= 8*len(r.p) {
			r.short = true
			continue
		}
		v |= uint32(r.p[r.at/8]>>(7-r.at%8)) & 1
		r.at++
	}
	return v
}

func (r *bits) flag() bool { return r.f(1) == 1 }

// uvlc is AV1 4.10.3.
func (r *bits) uvlc() {
	zeros := 0
	for !r.flag() && !r.short {
		zeros++
	}
	if zeros < 32 {
		r.f(zeros)
	}
}
