package forward

import (
	"encoding/binary"
	"slices"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"

	"aparte/sfu/publish"
)

// SubscriberConfig says where a subscriber's control packets go.
type SubscriberConfig struct {
	// WriteRTCP sends to the peer; called in the worker's goroutine. Packets must
	// not be kept.
	WriteRTCP func([]rtcp.Packet) error
	// OnStreamState tells that DownTrack.Held of one or more changed; called in
	// the worker's goroutine. May be nil.
	OnStreamState func()
	// OnRoundTrip is told the round trip that a receiver report shows; called in
	// the worker's goroutine. May be nil.
	OnRoundTrip func(time.Duration)
	// NoAdaptation ignores what the peer says about its path: nothing is held
	// back, paced or probed for.
	NoAdaptation bool
}

// Subscriber is one transport that we send on, with its DownTracks.
type Subscriber struct {
	worker *Worker          // set at creation
	cfg    SubscriberConfig // set at creation
	closed atomic.Bool

	pending atomic.Int32 // requests of the peer that wait for the worker
	intake  intake       // owned by the SRTCP goroutine

	// Owned by the worker.
	downs   []*DownTrack
	turn    []*DownTrack // those with packets in this round; scratch
	bySSRC  map[uint32]*DownTrack
	twccSeq uint16
	repair  int           // bytes that may be sent again, see intake.go
	packets []rtcp.Packet // scratch of tick
	path    path          // see there who owns what
}

// NewSubscriber pins a subscriber to the worker.
func (w *Worker) NewSubscriber(cfg SubscriberConfig) *Subscriber {
	s := &Subscriber{worker: w, cfg: cfg, bySSRC: map[uint32]*DownTrack{}, repair: repairMost}
	s.path.estimate.Store(-1)
	w.do(request{kind: addSubscriber, sub: s})
	return s
}

// NewDownTrack subscribes to the track. Nothing is sent before Bind.
func (s *Subscriber) NewDownTrack(t *publish.Track) *DownTrack {
	d := newDownTrack(s, t)
	s.worker.do(request{kind: addDownTrack, sub: s, down: d})
	return d
}

// Resync asks for key frames of everything: after the transport connected, after
// an ICE restart, and when an answer was applied. What was sent before is lost at
// the receiver.
func (s *Subscriber) Resync() { s.worker.post(request{kind: resync, sub: s}) }

// Close ends all DownTracks; when it returns, nothing more is sent. It may be
// called again, but not from a worker's callback.
func (s *Subscriber) Close() {
	s.closed.Store(true)
	s.worker.do(request{kind: removeSubscriber, sub: s})
}

// RTCP packet types and feedback formats, RFC 3550 section 12.1, RFC 4585
// section 6.1, RFC 5104 section 4.3.
const (
	typeSR    = 200
	typeRR    = 201
	typeRTPFB = 205
	typePSFB  = 206

	fmtNACK        = 1
	fmtTransportCC = 15
	fmtPLI         = 1
	fmtFIR         = 4
	fmtALFB        = 15 // application layer feedback: REMB
)

// HandleRTCP takes one RTCP packet that the peer addressed to ssrc, which may be
// any. It is called in the SRTCP goroutine; raw is not kept.
func (s *Subscriber) HandleRTCP(ssrc uint32, raw []byte) {
	if len(raw) < 8 || s.closed.Load() {
		return
	}
	format := raw[0] & 0x1f
	if !s.admit(raw[1] == typeRTPFB && format == fmtTransportCC) {
		return
	}
	switch raw[1] {
	case typeSR:
		s.blocks(ssrc, raw, 28)
	case typeRR:
		s.blocks(ssrc, raw, 8)
	case typeRTPFB:
		s.transportFeedback(ssrc, format, raw)
	case typePSFB:
		switch format {
		case fmtPLI, fmtFIR:
			s.offer(request{kind: keyframe, ssrc: ssrc})
		case fmtALFB:
			if !s.cfg.NoAdaptation {
				s.remb(raw)
			}
		}
	}
}

func (s *Subscriber) transportFeedback(ssrc uint32, format uint8, raw []byte) {
	switch format {
	case fmtNACK:
		var p rtcp.TransportLayerNack
		if p.Unmarshal(raw) == nil && len(p.Nacks) > 0 {
			s.offer(request{kind: nack, ssrc: ssrc, nacks: p.Nacks})
		}
	case fmtTransportCC:
		if !s.cfg.NoAdaptation {
			s.transportCC(raw)
		}
	}
}

// blocks finds the report block about ssrc; they begin at offset at.
func (s *Subscriber) blocks(ssrc uint32, raw []byte, at int) {
	const size = 24
	for range raw[0] & 0x1f {
		if len(raw) < at+size {
			return
		}
		if binary.BigEndian.Uint32(raw[at:]) == ssrc {
			var b rtcp.ReceptionReport
			if b.Unmarshal(raw[at:at+size]) == nil {
				s.offer(request{kind: report, received: b})
			}
			return
		}
		at += size
	}
}

// answerPLI passes the wish on; the publisher's side throttles it.
func (s *Subscriber) answerPLI(ssrc uint32) {
	if d := s.bySSRC[ssrc]; d != nil {
		d.plis.Add(1)
		d.requestKeyframe()
	}
}

func (s *Subscriber) noteReport(b rtcp.ReceptionReport) {
	if d := s.bySSRC[b.SSRC]; d != nil {
		d.noteReport(b, s.worker.now)
	}
}

// tick is called about every 100 ms.
func (s *Subscriber) tick() {
	s.tickPath()
	s.packets = s.packets[:0]
	for _, d := range s.downs {
		if sr := d.tick(s.worker.now); sr != nil {
			s.packets = append(s.packets, sr)
		}
	}
	if len(s.packets) > 0 && s.cfg.WriteRTCP != nil {
		for part := range slices.Chunk(s.packets, 32) { // 32 of 28 bytes stay below the MTU
			_ = s.cfg.WriteRTCP(part) // a peer that is gone needs no reports
		}
	}
	clear(s.packets)
}

// forget removes d's SSRCs.
func (s *Subscriber) forget(d *DownTrack) {
	for ssrc, x := range s.bySSRC {
		if x == d {
			delete(s.bySSRC, ssrc)
		}
	}
}

// nextTransportSeq numbers every packet of the transport.
func (s *Subscriber) nextTransportSeq() uint16 {
	s.twccSeq++
	return s.twccSeq
}

// ntpShort is the middle 32 bits of the NTP time of t (RFC 3550 section 4).
func ntpShort(t time.Time) uint32 { return uint32(ntp(t) >> 16) }

// ntp is the NTP time of t, RFC 5905 section 6.
func ntp(t time.Time) uint64 {
	const epoch = 2208988800 // seconds from 1900 to 1970
	ns := uint64(t.UnixNano())
	sec, frac := ns/1e9+epoch, ns%1e9
	return sec<<32 | frac<<32/1e9
}
