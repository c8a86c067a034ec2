package media

import (
	"math/rand/v2"
	"time"
)

// AudioEvery is the length of an Opus frame as browsers send it.
const AudioEvery = 20 * time.Millisecond

// audioTicks is one frame at the 48 kHz of RFC 7587.
const audioTicks = 960

// Levels of RFC 6464, in -dBov.
const (
	Loud   = 20
	Silent = 127
)

// Audio makes Opus frames. It is owned by one goroutine.
type Audio struct {
	size int
	seq  uint16
	ts   uint32
}

// NewAudio returns a microphone of the bitrate.
func NewAudio(bitrateBps int) *Audio {
	size := max(bitrateBps/8/int(time.Second/AudioEvery), 1+StampBytes)
	return &Audio{size: min(size, MaxPayload), seq: uint16(rand.Uint32() & 0x7fff), ts: rand.Uint32()}
}

// Timestamp is the newest frame's.
func (a *Audio) Timestamp() uint32 { return a.ts }

// Frame writes the next frame's payload to buf, which must hold MaxPayload.
func (a *Audio) Frame(buf []byte, now time.Time) (seq uint16, ts uint32, payload []byte) {
	a.seq++
	a.ts += audioTicks
	b := buf[:a.size]
	clear(b)
	b[0] = 31 << 3 // RFC 6716 section 3.1: CELT, full band, 20 ms, mono, one frame
	PutStamp(b, now)
	return a.seq, a.ts, b
}
