package media

import (
	"math/rand/v2"
	"time"
)

// Layer is one encoding of a picture.
type Layer struct {
	RID           string // "" without simulcast
	Width, Height int
	BitrateBps    int
	FPS           int
}

// MaxPayload is the longest payload made, in bytes, about what browsers make.
const MaxPayload = 1180

// keyframeSize is how many times larger than an average frame a key frame is.
const keyframeSize = 5

// temporal is the pattern of the three temporal layers that browsers send as L1T3.
var temporal = [4]uint8{0, 2, 1, 2}

// Packet is one packet to be sent. The payload can be made again from it, so that
// none is kept for retransmissions.
type Packet struct {
	Seq       uint16
	Timestamp uint32
	Marker    bool
	Size      int // payload bytes

	start, key    bool
	width, height int
	frameBytes    int
	pictureID     uint16
	tl0           uint8
	tid           uint8
	sent          time.Time // of the first sending
}

// kept is how many packets of a layer can be sent again: a second of 4 Mbit/s.
const kept = 512

// Video makes the frames of one layer. It is owned by one goroutine.
type Video struct {
	layer Layer
	seq   uint16
	ts    uint32
	pid   uint16
	tl0   uint8
	phase int
	made  [kept]Packet // by Seq
	frame []*Packet    // scratch
}

// NewVideo returns a layer that begins at random numbers, as RFC 3550 asks.
func NewVideo(l Layer) *Video {
	return &Video{
		layer: l, seq: uint16(rand.Uint32() & 0x7fff), ts: rand.Uint32(), pid: uint16(rand.Uint32() & 0x7fff),
	}
}

// Layer is what it was made with.
func (v *Video) Layer() Layer { return v.layer }

// Every is the time between two frames.
func (v *Video) Every() time.Duration { return time.Second / time.Duration(v.layer.FPS) }

// Timestamp is the newest frame's.
func (v *Video) Timestamp() uint32 { return v.ts }

// Frame makes the next frame's packets. They are valid until the next call.
func (v *Video) Frame(key bool) []*Packet {
	v.ts += uint32(90000 / v.layer.FPS)
	v.pid = (v.pid + 1) & 0x7fff
	if key {
		v.phase = 0
	}
	tid := temporal[v.phase%len(temporal)]
	v.phase++
	if tid == 0 {
		v.tl0++
	}
	size := v.size(key)
	v.frame = v.frame[:0]
	for left := size; left > 0; {
		n := min(left, MaxPayload)
		if rest := left - n; rest > 0 && rest < minPayload {
			n -= minPayload
		}
		v.seq++
		p := &v.made[v.seq%kept]
		*p = Packet{
			Seq: v.seq, Timestamp: v.ts, Size: n,
			start: left == size, key: key, width: v.layer.Width, height: v.layer.Height,
			frameBytes: size, pictureID: v.pid, tl0: v.tl0, tid: tid,
		}
		left -= n
		p.Marker = left == 0
		v.frame = append(v.frame, p)
	}
	return v.frame
}

// size of the next frame: a second with one key frame keeps to the bitrate only
// roughly, as encoders do.
func (v *Video) size(key bool) int {
	mean := v.layer.BitrateBps / 8 / v.layer.FPS
	if key {
		return max(mean*keyframeSize, minPayload)
	}
	return max(mean, minPayload)
}

// Again finds a packet that is to be sent again.
func (v *Video) Again(seq uint16) (*Packet, bool) {
	p := &v.made[seq%kept]
	return p, p.Seq == seq && p.Size > 0
}

const (
	descriptorBytes = 6
	keyHeaderBytes  = 10
	deltaHeader     = 3
	minPayload      = descriptorBytes + keyHeaderBytes + StampBytes + 8
)

// Payload writes the packet's payload to buf, which must hold MaxPayload, stamped
// with now or, when it is sent again, with the instant it was sent first.
func (p *Packet) Payload(buf []byte, now time.Time) []byte {
	if p.sent.IsZero() {
		p.sent = now
	}
	b := buf[:p.Size]
	clear(b)
	// RFC 7741 section 4.2: X, S; I L T; 15 bits of picture id; TL0PICIDX; TID.
	b[0] = 0x80
	if p.start {
		b[0] |= 0x10
	}
	if p.tid == 2 {
		b[0] |= 0x20 // nothing refers to it
	}
	b[1] = 0xe0
	b[2], b[3] = 0x80|byte(p.pictureID>>8), byte(p.pictureID)
	b[4] = p.tl0
	b[5] = p.tid << 6
	if p.start {
		p.header(b[descriptorBytes:])
	}
	PutStamp(b, p.sent)
	return b
}

// header is the frame tag of RFC 6386 section 9.1: not-key, version 0, show_frame,
// 19 bits of the first partition's size; key frames add start code and size.
func (p *Packet) header(b []byte) {
	n := deltaHeader
	if p.key {
		n = keyHeaderBytes
	}
	first := max(p.frameBytes/2-descriptorBytes-n, 1)
	tag := uint32(1)<<4 | uint32(first)<<5
	if !p.key {
		tag |= 1
	}
	b[0], b[1], b[2] = byte(tag), byte(tag>>8), byte(tag>>16)
	if p.key {
		b[3], b[4], b[5] = 0x9d, 0x01, 0x2a
		b[6], b[7] = byte(p.width), byte(p.width>>8)
		b[8], b[9] = byte(p.height), byte(p.height>>8)
	}
}
