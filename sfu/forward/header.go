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
	// descriptor is the id of the dependency descriptor, then the last extension; 0
	// without. described is what it holds.
	descriptor uint8
	described  []byte
	// numbered: packets carry a transport-wide number. Others must not use one up,
	// or the receiver would report it as lost.
	numbered bool

	bytes [9]byte
}

// Offsets into header.bytes.
const (
	twccAt       = 0
	sendAt       = 2
	levelAt      = 5
	descriptorAt = 6 // a place for it only
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
	if ext.Descriptor != 0 && !h.level && h.rtp.SetExtension(ext.Descriptor, h.bytes[descriptorAt:descriptorAt+3]) == nil {
		h.descriptor = ext.Descriptor
	}
	h.all = h.rtp.Extensions
	h.describe(nil)
}

// maxOneByte is the longest extension in the one-byte form of RFC 8285.
const maxOneByte = 16

// describe passes the dependency descriptor b on, or leaves the extension out. It is
// kept until the next call. Structures are long: their packets have headers of the
// two-byte form, which every browser that sends them takes (a=extmap-allow-mixed).
func (h *header) describe(b []byte) {
	if h.descriptor == 0 {
		return
	}
	h.described = b
	h.rtp.Extensions = h.all
	h.rtp.ExtensionProfile = rtp.ExtensionProfileOneByte
	if len(b) == 0 {
		h.rtp.Extensions = h.all[:len(h.all)-1]
		h.rtp.Extension = len(h.rtp.Extensions) > 0
		return
	}
	h.rtp.Extension = true
	if len(b) > maxOneByte {
		h.rtp.ExtensionProfile = rtp.ExtensionProfileTwoByte
	}
	_ = h.rtp.SetExtension(h.descriptor, b) // it is there: only its bytes change
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
