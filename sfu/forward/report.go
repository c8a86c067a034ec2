package forward

import (
	"time"

	"github.com/pion/rtcp"

	"aparte/sfu/publish"
)

const srEvery = time.Second

// tick is called about every 100 ms. It returns a sender report when one is due.
func (d *DownTrack) tick(now time.Time) rtcp.Packet {
	if d.writer == nil {
		return nil
	}
	d.settle()
	d.retarget()
	s := &d.selector
	if d.track.Kind() == publish.Video && !s.stopped() && !d.drains && (d.owed || d.awaitsKeyframe()) && now.Sub(s.asked) >= keyframeRetry {
		d.requestKeyframe()
	}
	if now.Before(d.nextSR) || !d.munger.started {
		return nil
	}
	d.nextSR = now.Add(srEvery)
	return d.senderReport(now)
}

// senderReport ties our timestamps to our clock (RFC 3550 section 6.4.1). The
// publisher's own report says what time its timestamps mean; without one there is
// nothing true to say.
func (d *DownTrack) senderReport(now time.Time) rtcp.Packet {
	m := &d.munger
	if m.count == 0 || m.segment(0).layer == noLayer {
		return nil
	}
	seg := m.segment(0)
	clock := d.track.Layer(int(seg.layer)).Clock()
	if clock == nil || clock.Epoch != seg.ssrc {
		return nil
	}
	return &rtcp.SenderReport{
		SSRC: d.binding.SSRC, NTPTime: ntp(now), RTPTime: clock.At(now) + seg.ts,
		PacketCount: d.count, OctetCount: d.octets,
	}
}

// noteReport takes a receiver report about our stream; RFC 3550 section 6.4.1 for
// the round trip.
func (d *DownTrack) noteReport(b rtcp.ReceptionReport, now time.Time) {
	d.lost.Store(b.TotalLost<<8 | uint32(b.FractionLost))
	d.jitter.Store(b.Jitter)
	if b.LastSenderReport == 0 {
		return
	}
	if rtt := int32(ntpShort(now) - b.LastSenderReport - b.Delay); rtt >= 0 && rtt < 10<<16 {
		d.rttMicros.Store(int64(rtt) * 1_000_000 >> 16)
		if f := d.sub.cfg.OnRoundTrip; f != nil {
			f(time.Duration(rtt) * time.Second >> 16)
		}
	}
}
