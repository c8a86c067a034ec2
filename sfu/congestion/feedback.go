package congestion

import (
	"encoding/binary"
	"errors"
	"time"
)

// Errors of malformed feedback. The packet is dropped whole and counted.
var (
	ErrShort   = errors.New("feedback ends too early")
	ErrTooLong = errors.New("feedback about more packets than anyone remembers")
)

// maxStatuses bounds what one feedback may speak of. Receivers report every 50 to
// 100 ms; a thousand packets are more than a second at 10 Mbit/s.
const maxStatuses = 4 * historySize

// Arrival is what the receiver said about one packet.
type Arrival struct {
	Seq      uint16 // transport-wide
	Received bool
	At       time.Duration // on the receiver's clock, from an unknown beginning
}

// Feedback is one transport-wide feedback packet,
// draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1. It is reused:
// parsing allocates only while the list grows.
type Feedback struct {
	Arrivals []Arrival // in the order of sending
}

// Symbols of a packet status.
const (
	symbolLost  = 0
	symbolSmall = 1 // a delta of 8 bits
	symbolLarge = 2 // a signed delta of 16 bits
)

// deltaUnit and referenceUnit are the units on the wire.
const (
	deltaUnit     = 250 * time.Microsecond
	referenceUnit = 64 * time.Millisecond
)

// headerBytes: RTCP header, two SSRCs, base, count, reference time, number.
const headerBytes = 20

// Parse reads a whole RTCP packet of type 205, format 15. raw is not kept. After
// an error Arrivals is empty.
func (f *Feedback) Parse(raw []byte) error {
	f.Arrivals = f.Arrivals[:0]
	if len(raw) < headerBytes {
		return ErrShort
	}
	base := binary.BigEndian.Uint16(raw[12:])
	count := int(binary.BigEndian.Uint16(raw[14:]))
	if count > maxStatuses {
		return ErrTooLong
	}
	reference := time.Duration(uint32(raw[16])<<16|uint32(raw[17])<<8|uint32(raw[18])) * referenceUnit
	deltas, ok := f.symbols(raw[headerBytes:], base, count)
	if !ok || !f.times(deltas, reference) {
		f.Arrivals = f.Arrivals[:0]
		return ErrShort
	}
	return nil
}

// symbols reads the chunks and returns what follows them; the symbol waits in At.
func (f *Feedback) symbols(b []byte, seq uint16, count int) (rest []byte, ok bool) {
	add := func(symbol uint16) {
		f.Arrivals = append(f.Arrivals, Arrival{Seq: seq, At: time.Duration(symbol)})
		seq++
		count--
	}
	for count > 0 {
		if len(b) < 2 {
			return nil, false
		}
		chunk := binary.BigEndian.Uint16(b)
		b = b[2:]
		switch {
		case chunk&0x8000 == 0: // a run
			for range min(int(chunk&0x1fff), count) {
				add(chunk >> 13 & 3)
			}
			if chunk&0x1fff == 0 {
				return nil, false // a run of nothing never ends
			}
		case chunk&0x4000 == 0: // 14 symbols of one bit
			for i := 13; i >= 0 && count > 0; i-- {
				add(chunk >> i & 1)
			}
		default: // 7 symbols of two bits
			for i := 12; i >= 0 && count > 0; i -= 2 {
				add(chunk >> i & 3)
			}
		}
	}
	return b, true
}

// times turns symbols into arrivals.
func (f *Feedback) times(b []byte, at time.Duration) bool {
	for i := range f.Arrivals {
		a := &f.Arrivals[i]
		symbol := a.At
		a.At = 0
		switch symbol {
		case symbolSmall:
			if len(b) < 1 {
				return false
			}
			at += time.Duration(b[0]) * deltaUnit
			b = b[1:]
		case symbolLarge:
			if len(b) < 2 {
				return false
			}
			at += time.Duration(int16(binary.BigEndian.Uint16(b))) * deltaUnit
			b = b[2:]
		default: // lost, or the reserved symbol: no time, so of no use
			continue
		}
		a.Received, a.At = true, at
	}
	return true
}

// ParseREMB reads a receiver's estimate (type 206, format 15,
// draft-alvestrand-rmcat-remb-03 section 2.2). ok is false for anything else that
// application layer feedback may carry.
func ParseREMB(raw []byte) (bps int64, ok bool) {
	if len(raw) < headerBytes || string(raw[12:16]) != "REMB" {
		return 0, false
	}
	exponent := raw[17] >> 2
	mantissa := int64(raw[17]&3)<<16 | int64(raw[18])<<8 | int64(raw[19])
	if exponent > 44 { // 18 bits and these do not fit: no such path exists
		return 0, false
	}
	return mantissa << exponent, true
}
