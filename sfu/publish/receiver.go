package publish

import (
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/transport/v5/packetio"
)

// maxSources bounds the SSRCs of one transport, RTP and RTCP each. A browser with
// camera, screen and microphone uses about 16; a subscriber's reports name two for
// each track it receives, which ExpectReports makes room for.
const maxSources = 1024

// ReceiverConfig says where a Receiver's words go.
type ReceiverConfig struct {
	// WriteRTCP sends to the peer. It is called without locks, from Tick.
	WriteRTCP func([]rtcp.Packet) error
	// OnRTCP gets what the peer reports about the streams we send on the same
	// transport: one RTCP packet, and the SSRC it was delivered for. Called in
	// the SRTCP goroutine; raw is valid during the call only. May be nil.
	OnRTCP func(ssrc uint32, raw []byte)
	// OnOverflow is called once when the peer uses more SSRCs than anyone
	// needs; close it, but not within the call. May be nil.
	OnOverflow func()
	// PacketsPerSecond bounds what the peer may send; 0 does not.
	PacketsPerSecond int
	// SenderSSRC is ours in feedback; 0 is replaced by 1.
	SenderSSRC uint32
}

// Stats counts, with a name for each reason, what a receiver did not store.
type Stats struct {
	Packets       uint64 // RTP packets seen, RTX and padding included
	Flooded       uint64 // more packets than the peer may send
	Malformed     uint64 // not RTP, or a payload its codec does not allow
	UnknownSource uint64 // no section for this SSRC (yet)
	NoTrack       uint64 // its section publishes nothing
	UnknownCodec  uint64 // payload type not negotiated
	NoStructure   uint64 // an AV1 packet of layers that nothing told us of
	Duplicate     uint64 // already there: mostly RTX padding probes
	Late          uint64 // older than the ring
	Padding       uint64 // empty
	Oversized     uint64
	Overflow      uint64 // too many SSRCs
	Recovered     uint64 // came by RTX
	Silenced      uint64 // sent after somebody else muted the track
	Redundant     uint64 // lost, but repeated in a later packet (RED)
	NACKs         uint64 // sequence numbers asked for
	NACKGivenUp   uint64 // asked up to 10 times in vain
	PLIs          uint64 // key frames asked for
}

// Receiver is everything one peer transport receives. The SRTP goroutine feeds
// it through the buffers that Buffer makes; a worker calls Tick.
type Receiver struct {
	cfg   ReceiverConfig // set at creation
	start time.Time      // set at creation

	mu       sync.Mutex // guards all below; held while a packet is stored, never during a callback
	sections map[string]*Section
	list     []Section
	ext      Extensions
	sources  map[uint32]*source
	header   rtp.Header // reused for every packet
	recorder *twcc.Recorder
	sawTWCC  bool
	stats    Stats
	nextTWCC time.Time
	nextRR   time.Time
	nextRate time.Time
	rtt      roundTrip
	ntpShift time.Duration // publisher's clock to ours
	ntpKnown bool
	closed   bool
	out      []rtcp.Packet // scratch of Tick
	pace     pace          // of all packets

	wake       atomic.Pointer[func()]
	overflowed atomic.Bool
	buffers    atomic.Int32
	reported   atomic.Int32 // SSRCs of ours that the peer may name
}

// NewReceiver returns a Receiver without sections.
func NewReceiver(cfg ReceiverConfig) *Receiver {
	if cfg.SenderSSRC == 0 {
		cfg.SenderSSRC = 1
	}
	return &Receiver{
		cfg:      cfg,
		start:    time.Now(),
		sections: map[string]*Section{},
		sources:  map[uint32]*source{},
		recorder: twcc.NewRecorder(cfg.SenderSSRC),
	}
}

// Buffer is a webrtc.SettingEngine.BufferFactory. What it returns is a tap: Write
// hands a decrypted packet to the receiver, Read answers io.EOF.
//
// Pion reads an SSRC's buffer in goroutines that exist only to fire OnTrack: one
// for each SSRC named in the SDP, one for each unknown one (probing for rids),
// one for each RTX stream. Answering EOF ends them instead of keeping them
// asleep for the length of the call; all they do then is to log.
func (r *Receiver) Buffer(kind packetio.BufferPacketType, ssrc uint32) io.ReadWriteCloser {
	if r.buffers.Add(1) > 2*maxSources+r.reported.Load() {
		r.overflow()
	}
	return &tap{receiver: r, ssrc: ssrc, rtcp: kind == packetio.RTCPBufferPacket}
}

// ExpectReports makes room for the peer's reports on one more stream of ours and on its
// retransmissions. Pion keeps a buffer for each SSRC that was ever named where no sender
// of its own reads it: whoever stays while thousands come and go is no flood.
func (r *Receiver) ExpectReports() { r.reported.Add(2) }

// tap is one SSRC's buffer.
type tap struct {
	receiver *Receiver
	ssrc     uint32
	rtcp     bool
	closed   atomic.Bool
}

func (t *tap) Write(b []byte) (int, error) {
	switch {
	case t.closed.Load():
		return 0, io.ErrClosedPipe
	case t.rtcp:
		t.receiver.handleRTCP(t.ssrc, b)
	default:
		t.receiver.handleRTP(b)
	}
	return len(b), nil
}

func (t *tap) Read([]byte) (int, error) { return 0, io.EOF }

func (t *tap) Close() error {
	if !t.closed.Swap(true) {
		t.receiver.buffers.Add(-1)
	}
	return nil
}

// SetReadDeadline is what Pion calls for TrackRemote.SetReadDeadline.
func (t *tap) SetReadDeadline(time.Time) error { return nil }

// SetSections replaces the sections the peer may send on. Sources that were
// mapped are mapped anew, so a section may change its track at any time.
func (r *Receiver) SetSections(sections []Section) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.list = append([]Section(nil), sections...)
	clear(r.sections)
	for i := range r.list {
		s := &r.list[i]
		r.sections[s.MID] = s
		r.ext.merge(s.Ext)
		if s.Track != nil {
			codecs := s.Codecs
			s.Track.codecs.Store(&codecs)
			s.Track.receiver.Store(r)
		}
	}
	for _, src := range r.sources {
		src.unmap()
		r.resolve(src)
	}
	r.fromSDP()
}

func (e *Extensions) merge(o Extensions) {
	for _, p := range []struct {
		to   *uint8
		from uint8
	}{
		{&e.MID, o.MID},
		{&e.RID, o.RID},
		{&e.RepairedRID, o.RepairedRID},
		{&e.TransportCC, o.TransportCC},
		{&e.AbsSendTime, o.AbsSendTime},
		{&e.AudioLevel, o.AudioLevel},
		{&e.Descriptor, o.Descriptor},
	} {
		if p.from != 0 {
			*p.to = p.from
		}
	}
}

// Stats returns the counters.
func (r *Receiver) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

// Close stops storing. Tracks stay what they are; close them separately.
func (r *Receiver) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.list, r.header = nil, rtp.Header{}
	clear(r.sections)
	clear(r.sources)
}

// SetWake gives the receiver a function that makes its worker call Tick soon.
// It must not block.
func (r *Receiver) SetWake(wake func()) { r.wake.Store(&wake) }

func (r *Receiver) wakeTicker() {
	if wake := r.wake.Load(); wake != nil && *wake != nil {
		(*wake)()
	}
}

func (r *Receiver) overflow() {
	if !r.overflowed.Swap(true) && r.cfg.OnOverflow != nil {
		r.cfg.OnOverflow()
	}
}
