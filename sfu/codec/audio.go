package codec

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
