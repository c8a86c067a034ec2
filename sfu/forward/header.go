package forward

import (
	"time"

	"github.com/pion/rtp"

	"aparte/sfu/publish"
)

// header is an RTP header made once and changed in place for every packet: the
// extensions' payloads are parts of bytes.
type header struct {
	rtp   rtp.Header
	all   []rtp.Extension
	level bool // the last extension is the audio level
	// numbered: packets carry a transport-wide number. Others must not use one up,
	// or the receiver would report it as lost.
	numbered bool

	bytes [8]byte
	// Offsets into bytes.
}

const (
	twccAt  = 0
	sendAt  = 2
	levelAt = 5
)

// init lays the extensions out in a fixed order, so that packets of equal payload
// have equal size.
func (h *header) init(ssrc uint32, mid string, ext publish.Extensions) {
	*h = header{}
	h.rtp = rtp.Header{Version: 2, SSRC: ssrc}
	// Errors here mean an id above 14, which nobody negotiates without need: the
	// extension is then left out.
	if mid != "" && ext.MID != 0 {
		_ = h.rtp.SetExtension(ext.MID, []byte(mid))
	}
	if ext.TransportCC != 0 {
		h.numbered = h.rtp.SetExtension(ext.TransportCC, h.bytes[twccAt:twccAt+2]) == nil
	}
	if ext.AbsSendTime != 0 {
		_ = h.rtp.SetExtension(ext.AbsSendTime, h.bytes[sendAt:sendAt+3])
	}
	if ext.AudioLevel != 0 {
		h.level = h.rtp.SetExtension(ext.AudioLevel, h.bytes[levelAt:levelAt+1]) == nil
	}
	h.all = h.rtp.Extensions
}

// stamp fills in what changes with every packet: the transport-wide number and
// abs-send-time.
func (h *header) stamp(transportSeq uint16, sendTime uint32) {
	b := &h.bytes
	b[twccAt], b[twccAt+1] = byte(transportSeq>>8), byte(transportSeq)
	b[sendAt], b[sendAt+1], b[sendAt+2] = byte(sendTime>>16), byte(sendTime>>8), byte(sendTime)
}

// audioLevel passes the byte of RFC 6464 on, or leaves the extension out.
func (h *header) audioLevel(level uint8, has bool) {
	if !h.level {
		return
	}
	h.rtp.Extensions = h.all
	if !has {
		h.rtp.Extensions = h.all[:len(h.all)-1]
	}
	h.rtp.Extension = len(h.rtp.Extensions) > 0
	h.bytes[levelAt] = level
}

// sendTime is abs-send-time: seconds with 18 bits of fraction, 24 bits in all.
func sendTime(t time.Time) uint32 {
	return uint32(ntp(t)>>14) & 0xffffff
}
