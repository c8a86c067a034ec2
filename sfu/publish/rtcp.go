package publish

import (
	"encoding/binary"
	"time"
)

// RTCP packet types, RFC 3550 section 12.1.
const (
	rtcpSR   = 200
	rtcpSDES = 202
	rtcpBYE  = 203
)

// handleRTCP takes one packet of a compound, in the SRTCP goroutine. Pion delivers
// it once for each SSRC it speaks of: a sender report to its sender's SSRC and to
// those of its report blocks. So each call looks only at what concerns ssrc.
func (r *Receiver) handleRTCP(ssrc uint32, b []byte) {
	if len(b) < 8 || b[0]>>6 != 2 {
		r.mu.Lock()
		r.stats.Malformed++
		r.mu.Unlock()
		return
	}
	switch sender := binary.BigEndian.Uint32(b[4:]); {
	case b[1] == rtcpSDES, b[1] == rtcpBYE:
		return // SetSections says which sources there are
	case b[1] == rtcpXR:
		r.extendedReport(b)
	case b[1] == rtcpSR && sender == ssrc:
		r.senderReport(ssrc, b)
	case r.cfg.OnRTCP != nil:
		r.cfg.OnRTCP(ssrc, b)
	}
}

// ntpEpoch is 1900-01-01 in Unix seconds.
const ntpEpoch = -2208988800

// ntpTime converts 64 bits of NTP time, RFC 5905 section 6.
func ntpTime(ntp uint64) time.Time {
	sec, frac := int64(ntp>>32), ntp&0xffffffff
	return time.Unix(sec+ntpEpoch, int64(frac*1_000_000_000>>32))
}

// maxDrift: the publisher's clock was set, or the offset was measured badly.
const maxDrift = 500 * time.Millisecond

func (r *Receiver) senderReport(ssrc uint32, b []byte) {
	if len(b) < 28 {
		return
	}
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	src := r.sources[ssrc]
	if src == nil || src.layer == nil || src.repair || src.layer.ssrc.Load() != ssrc {
		return
	}
	ntp := binary.BigEndian.Uint64(b[8:])
	in := &src.layer.in
	in.lastSR, in.lastSRAt = uint32(ntp>>16), now
	src.layer.reports.add(Report{
		At: now, SSRC: ssrc, NTP: ntp, RTP: binary.BigEndian.Uint32(b[16:]),
		Packets: binary.BigEndian.Uint32(b[20:]), Octets: binary.BigEndian.Uint32(b[24:]),
	})
	if in.clockRate == 0 {
		return
	}
	// The smallest difference seen has the least queueing in it. One for the
	// whole transport: what the publisher says was simultaneous stays so.
	sent := ntpTime(ntp)
	if d := now.Sub(sent); !r.ntpKnown || d < r.ntpShift || d-r.ntpShift > maxDrift {
		r.ntpShift, r.ntpKnown = d, true
	}
	src.layer.clock.Store(&SenderClock{
		Time:      now.Add(r.ntpShift - now.Sub(sent)), // not sent.Add: keep the monotonic clock
		Timestamp: binary.BigEndian.Uint32(b[16:]),
		ClockRate: in.clockRate,
		Epoch:     ssrc,
	})
}
