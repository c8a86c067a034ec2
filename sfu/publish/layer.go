package publish

import (
	"sync/atomic"
	"time"

	"aparte/sfu/codec"
	"aparte/sfu/ring"
)

// liveFor: a layer without packets for so long counts as gone. Screen shares send
// at least one frame a second.
const liveFor = 1500 * time.Millisecond

// Layer is one encoding of a track. Readers use its ring and its clock; the rest
// is the receiver's bookkeeping.
type Layer struct {
	ring  *ring.Ring // set at creation
	start time.Time  // set at creation; zero of lastArrival

	keyframeWanted atomic.Bool
	clock          atomic.Pointer[SenderClock]
	ssrc           atomic.Uint32
	lastArrival    atomic.Int64 // ns since start
	packets, bytes atomic.Uint64
	lost           atomic.Uint64
	bitrateBps     atomic.Uint64
	rid            atomic.Pointer[string] // nil without simulcast
	reports        reports
	spatials       [codec.MaxSpatials]spatial
	frames         frameRates
	svc            atomic.Bool // more than one spatial layer was seen

	in   inbound // guarded by Receiver.mu
	pace pace    // of sound; guarded by Receiver.mu
}

// SenderClock ties RTP timestamps to our wall clock, from a sender report.
type SenderClock struct {
	// Time is the instant, on our clock, of the RTP timestamp. All layers and
	// tracks of one publisher share one offset to the publisher's clock, so they
	// can be compared exactly.
	Time      time.Time
	Timestamp uint32
	ClockRate uint32
	Epoch     uint32 // SSRC the report was about
}

// At is the RTP timestamp at the instant t.
func (c *SenderClock) At(t time.Time) uint32 {
	d := t.Sub(c.Time)
	return c.Timestamp + uint32(int64(d)/1000*int64(c.ClockRate)/1_000_000)
}

// When is the instant of the RTP timestamp ts, at most 2^31 ticks away.
func (c *SenderClock) When(ts uint32) time.Time {
	d := int64(int32(ts - c.Timestamp))
	return c.Time.Add(time.Duration(d * int64(time.Second) / int64(c.ClockRate)))
}

// Ring holds the layer's packets.
func (l *Layer) Ring() *ring.Ring { return l.ring }

// RID is the layer's name in the publisher's description; "" without simulcast.
func (l *Layer) RID() string {
	if rid := l.rid.Load(); rid != nil {
		return *rid
	}
	return ""
}

// SSRC is the source its packets come from now.
func (l *Layer) SSRC() uint32 { return l.ssrc.Load() }

// Clock is the newest sender report's; nil before the first.
func (l *Layer) Clock() *SenderClock { return l.clock.Load() }

// Live tells whether packets came lately.
func (l *Layer) Live(now time.Time) bool {
	return l.packets.Load() > 0 && now.Sub(l.start)-time.Duration(l.lastArrival.Load()) < liveFor
}

// ArrivedAt is ring.Meta.Arrival as an instant, with a monotonic clock.
func (l *Layer) ArrivedAt(arrival int64) time.Time { return l.start.Add(time.Duration(arrival - 1)) }

// Age is how long ago a packet came (ring.Meta.Arrival).
func (l *Layer) Age(arrival int64, now time.Time) time.Duration {
	return now.Sub(l.start) - time.Duration(arrival)
}

// BitrateBps is the bitrate of payloads received over the last second.
func (l *Layer) BitrateBps() uint64 { return l.bitrateBps.Load() }

// stats describes the layer; the layers inside it follow, with a share of the rate
// and without counters of their own.
func (l *Layer) stats(i int) []LayerStats {
	now := time.Now()
	all := []LayerStats{{
		Layer: i, SSRC: l.ssrc.Load(), Live: l.Live(now), BitrateBps: l.bitrateBps.Load(),
		Packets: l.packets.Load(), Bytes: l.bytes.Load(), Lost: l.lost.Load(),
	}}
	all[0].Width, all[0].Height = l.spatials[0].pixels()
	for s := 1; s < len(l.spatials); s++ {
		sp := &l.spatials[s]
		if sp.lastArrival.Load() == 0 {
			continue
		}
		one := LayerStats{Layer: s, SSRC: all[0].SSRC, Live: l.liveSpatial(s, now), BitrateBps: uint64(sp.wire.most())}
		one.Width, one.Height = sp.pixels()
		all = append(all, one)
	}
	return all
}
