package publish

import (
	"encoding/binary"
	"time"

	"github.com/pion/rtcp"
)

// roundTrip is the time to the publisher and back. Whoever only receives learns it
// by asking: a receiver reference time (RFC 3611 section 4.4) goes out with the
// receiver reports, and libwebrtc answers it with a DLRR block (4.5). Where we send
// on the same transport too, the peer's receiver reports tell it. Otherwise the time
// from asking for a packet to its coming has to do.
type roundTrip struct {
	mean     time.Duration // 0 not known
	reported bool          // by the peer's reports, which are better than repairs
}

// maxRoundTrip: what is longer was measured badly, or is a lie.
const maxRoundTrip = 3 * time.Second

func (r *roundTrip) report(d time.Duration) {
	if d < 0 || d > maxRoundTrip {
		return
	}
	if !r.reported {
		*r = roundTrip{reported: true}
	}
	r.take(d)
}

// repaired takes the time from the only request for a packet to its coming.
func (r *roundTrip) repaired(d time.Duration) {
	if !r.reported && d >= 0 && d <= maxRoundTrip {
		r.take(d)
	}
}

func (r *roundTrip) take(d time.Duration) {
	d = max(d, time.Millisecond)
	if r.mean == 0 {
		r.mean = d
		return
	}
	r.mean += (d - r.mean) / 4
}

// shortTime is the middle 32 bits of a time in NTP's format, in which reports count
// (RFC 3550 section 4). Ours begins a second before the receiver (0 means that there
// was none), and a clock that is set does not change it.
func (r *Receiver) shortTime(now time.Time) uint32 {
	d := now.Sub(r.start) + time.Second
	return uint32(d/time.Second)<<16 | uint32(d%time.Second*(1<<16)/time.Second)
}

// fromShort is a difference of such times.
func fromShort(d uint32) time.Duration {
	return time.Duration(int32(d)) * time.Second >> 16
}

// reference asks the peer for a DLRR block.
func (r *Receiver) reference(now time.Time) rtcp.Packet {
	return &rtcp.ExtendedReport{SenderSSRC: r.cfg.SenderSSRC, Reports: []rtcp.ReportBlock{
		&rtcp.ReceiverReferenceTimeReportBlock{NTPTimestamp: uint64(r.shortTime(now)) << 16},
	}}
}

// Block types of extended reports.
const (
	rtcpXR = 207
	xrDLRR = 5
)

// extendedReport looks for the answer to our reference time.
func (r *Receiver) extendedReport(b []byte) {
	now := time.Now()
	for b = b[8:]; len(b) >= 4; {
		size := 4 + 4*int(binary.BigEndian.Uint16(b[2:]))
		if size > len(b) {
			return
		}
		if b[0] == xrDLRR {
			for sub := b[4:size]; len(sub) >= 12; sub = sub[12:] {
				if last := binary.BigEndian.Uint32(sub[4:]); last != 0 && binary.BigEndian.Uint32(sub) == r.cfg.SenderSSRC {
					r.mu.Lock()
					r.rtt.report(fromShort(r.shortTime(now) - last - binary.BigEndian.Uint32(sub[8:])))
					r.mu.Unlock()
				}
			}
		}
		b = b[size:]
	}
}

// RoundTrip is the time to the publisher and back; 0 while it is not known.
func (r *Receiver) RoundTrip() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rtt.mean
}

// ReportRoundTrip takes what reports about the streams that we send on the same
// transport say.
func (r *Receiver) ReportRoundTrip(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rtt.report(d)
}
