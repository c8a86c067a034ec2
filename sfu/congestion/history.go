package congestion

import "time"

// historySize is how many packets back feedback is understood: at 10 Mbit/s one
// second. A power of two.
const historySize = 1024

// outcome is what became of a packet.
type outcome uint8

const (
	unknown outcome = iota
	arrived
	lost
)

// sentPacket is what is remembered of one.
type sentPacket struct {
	at   time.Duration
	size uint16 // bytes on the wire
	seq  uint16
	fate outcome
}

// history is a fixed ring by transport-wide number.
type history struct {
	ring [historySize]sentPacket
	last uint16
	any  bool
}

func (h *history) add(seq uint16, size int, at time.Duration) {
	h.ring[seq%historySize] = sentPacket{at: at, size: uint16(size), seq: seq}
	h.last, h.any = seq, true
}

// find returns the packet with the number, or nil: never sent, or too long ago.
func (h *history) find(seq uint16) *sentPacket {
	p := &h.ring[seq%historySize]
	if !h.any || p.seq != seq || p.size == 0 || h.last-seq >= historySize {
		return nil
	}
	return p
}
