package publish

import (
	"math"
	"time"

	"aparte/sfu/codec"
	"aparte/sfu/ring"
)

// inbound is the receiver's bookkeeping for one layer's primary SSRC: what RFC
// 3550 sections 6.4.1 and A.3 need for reports, losses, and key frame requests.
// Guarded by Receiver.mu.
type inbound struct {
	clockRate uint32

	base, highest uint64 // extended sequence numbers
	received      uint64
	// Of the last report:
	reportedExpected, reportedReceived uint64
	jitter                             float64 // in timestamp units
	transit                            int64
	lastSR                             uint32 // middle 32 bits of the NTP time
	lastSRAt                           time.Time

	missing missing
	pliSent time.Time
	sps     bool // H264 with its parameter sets in the stream

	descriptors codec.DescriptorReader

	rateAt    time.Time
	rateBytes uint64

	loudest    uint8 // -dBov, of the current window
	heard      int   // packets in the window
	active     int   // of them louder than the threshold
	windowFrom time.Time
}

// restart forgets the numbering, not the key frame requests.
func (in *inbound) restart(ext uint64) {
	*in = inbound{
		clockRate: in.clockRate, pliSent: in.pliSent, sps: in.sps, descriptors: in.descriptors,
		base: ext, highest: ext,
	}
}

// account updates everything that counts packets. once tells that the packet was asked
// for once, and when.
func (l *Layer) account(p *ring.Packet, res ring.Inserted, repair bool, now time.Time) (asked time.Time, once bool) {
	l.packets.Add(1)
	l.bytes.Add(uint64(len(p.Payload)))
	l.noteSpatial(p, now)
	l.lastArrival.Store(int64(now.Sub(l.start)))
	in := &l.in
	if in.base == 0 {
		in.base = res.ExtSeq
	}
	in.received++
	if res.ExtSeq > in.highest {
		if in.highest != 0 {
			in.missing.add(res.GapStart, res.ExtSeq, now)
		}
		in.highest = res.ExtSeq
		l.frames.count(p)
	} else {
		asked, once = in.missing.remove(res.ExtSeq)
	}
	if !repair && in.clockRate != 0 {
		transit := int64(now.Sub(l.start)/time.Microsecond)*int64(in.clockRate)/1_000_000 - int64(p.Timestamp)
		if in.transit != 0 {
			// In 32 bits, because timestamps wrap.
			d := math.Abs(float64(int32(transit - in.transit)))
			in.jitter += (d - in.jitter) / 16
		}
		in.transit = transit
	}
	return asked, once
}

// beginsAt makes the IDR slice the beginning of a key frame for senders that give
// their parameter sets in the SDP. Where they come in the stream, beginning at the
// slice would leave them out.
func (in *inbound) beginsAt(f *codec.Facts) {
	in.sps = in.sps || f.Keyframe
	f.Keyframe = f.Keyframe || f.IDR && !in.sps
}

const (
	// levelWindow is how often a track's loudness is measured.
	levelWindow = 400 * time.Millisecond
	// speechLevel in -dBov and speechShare: a window is speech when so many of
	// its packets are louder. The figures are LiveKit's defaults, which its users
	// are used to.
	speechLevel = 35
	speechShare = 0.4
)

// hear takes the level of one packet, in -dBov.
func (t *Track) hear(l *Layer, level uint8, now time.Time) {
	in := &l.in
	if in.windowFrom.IsZero() {
		in.windowFrom, in.loudest = now, 127
	}
	in.heard++
	if level <= speechLevel {
		in.active++
	}
	in.loudest = min(in.loudest, level)
	if now.Sub(in.windowFrom) < levelWindow {
		return
	}
	loud := float32(0)
	// A window has 20 packets of 20 ms; with DTX only few come in silence.
	if float64(in.active) >= speechShare*float64(levelWindow/(20*time.Millisecond)) {
		loud = float32(math.Pow(10, -float64(in.loudest)/20))
	}
	t.setLevel(loud, now)
	in.windowFrom, in.loudest, in.heard, in.active = now, 127, 0, 0
}
