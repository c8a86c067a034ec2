// Package media makes the RTP packets that the load sends, and reads what comes
// back of them.
//
// The packets are synthetic but whole: VP8 frames with a payload descriptor, a
// picture id and three temporal layers, their key frames with a valid header;
// Opus frames with a TOC byte. Every payload ends with the instant it was sent,
// which whatever a server rewrites in front leaves alone.
//
// video.go and audio.go make, inspect.go and stream.go read.
package media

import (
	"encoding/binary"
	"time"
)

// stampMagic tells our payloads from others'.
const stampMagic = 0x41504c44

// StampBytes is what a stamp takes at the end of a payload.
const StampBytes = 12

// PutStamp writes the instant to the end of a payload of at least StampBytes.
func PutStamp(payload []byte, at time.Time) {
	end := payload[len(payload)-StampBytes:]
	binary.BigEndian.PutUint32(end, stampMagic)
	binary.BigEndian.PutUint64(end[4:], uint64(at.UnixNano()))
}

// Stamp reads it. Sender and receiver must share one clock: two processes of one
// machine do.
func Stamp(payload []byte) (at time.Time, ok bool) {
	if len(payload) < StampBytes {
		return time.Time{}, false
	}
	end := payload[len(payload)-StampBytes:]
	if binary.BigEndian.Uint32(end) != stampMagic {
		return time.Time{}, false
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(end[4:]))), true
}
