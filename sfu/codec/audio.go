package codec

import "time"

// REDPrimary returns the primary (newest) block of a RED payload, RFC 2198
// section 3, and its payload type. The block is a part of p. ok is false when
// the headers or lengths do not fit the payload.
func REDPrimary(p []byte) (payloadType uint8, block []byte, ok bool) {
	n, skip := 0, 0
	for {
		if n >= len(p) {
			return 0, nil, false
		}
		if p[n]&0x80 == 0 { // the last header is one byte
			payloadType = p[n] & 0x7f
			n++
			break
		}
		if len(p) < n+4 {
			return 0, nil, false
		}
		skip += int(p[n+2]&0x03)<<8 | int(p[n+3])
		n += 4
	}
	if n+skip >= len(p) {
		return 0, nil, false
	}
	return payloadType, p[n+skip:], true
}

// REDRedundancy returns the block that stands back places before the primary one:
// what an earlier packet carried as its primary block. older is by how much its
// timestamp is smaller. The block is a part of p; ok is false when there is none,
// or it is empty.
func REDRedundancy(p []byte, back int) (payloadType uint8, older uint32, block []byte, ok bool) {
	blocks := 0
	for 4*blocks < len(p) && p[4*blocks]&0x80 != 0 {
		blocks++
	}
	if 4*blocks+1 > len(p) || back < 1 || back > blocks {
		return 0, 0, nil, false
	}
	want, begin := blocks-back, 4*blocks+1
	for i := range want + 1 {
		h := p[4*i : 4*i+4]
		length := int(h[2]&0x03)<<8 | int(h[3])
		if i < want {
			begin += length
			continue
		}
		if length == 0 || begin+length > len(p) {
			return 0, 0, nil, false
		}
		return h[0] & 0x7f, uint32(h[1])<<6 | uint32(h[2])>>2, p[begin : begin+length], true
	}
	return 0, 0, nil, false
}

// OpusSilence is one 20 ms Opus frame of silence (mono, CELT, fullband; RFC 6716
// section 3.1: configuration 31, one frame, with an empty range coder state).
// Encoders send the same three bytes for digital silence.
func OpusSilence() [3]byte { return [3]byte{0xf8, 0xff, 0xfe} }

// AudioLevel reads the one-byte element of RFC 6464: level in -dBov (0 loudest,
// 127 silence) and whether the sender's detector heard a voice.
func AudioLevel(element []byte) (level uint8, voice, ok bool) {
	if len(element) < 1 {
		return 0, false, false
	}
	return element[0] & 0x7f, element[0]&0x80 != 0, true
}

// OpusDuration is how long an Opus packet sounds (RFC 6716, section 3.1), 0 for one that
// is none: it is empty, or longer than the 120 ms that a packet may have.
func OpusDuration(p []byte) time.Duration {
	if len(p) == 0 {
		return 0
	}
	var frame time.Duration
	switch config := p[0] >> 3; {
	case config < 12: // SILK: 10, 20, 40, 60 ms
		frame = [4]time.Duration{10e6, 20e6, 40e6, 60e6}[config&3]
	case config < 16: // hybrid: 10, 20 ms
		frame = [2]time.Duration{10e6, 20e6}[config&1]
	default: // CELT: 2.5, 5, 10, 20 ms
		frame = 2500 * time.Microsecond << (config & 3)
	}
	frames := 1
	switch p[0] & 3 {
	case 1, 2:
		frames = 2
	case 3:
		if len(p) < 2 {
			return 0
		}
		frames = int(p[1] & 0x3f)
	}
	if whole := time.Duration(frames) * frame; whole <= 120*time.Millisecond {
		return whole
	}
	return 0
}
