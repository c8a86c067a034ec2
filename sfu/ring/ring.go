// Package ring keeps the last second or so of one RTP layer.
//
// One goroutine inserts (the publisher's), any number read. Packets stand in two
// orders: by extended sequence number, for answering NACKs ([Ring.Get]), and by
// arrival, for forwarding ([Ring.Read] with a cursor). Readers copy packets out
// under a lock held for a few hundred nanoseconds, so that nothing they do later
// can keep the publisher waiting.
//
// Memory follows need: payloads lie one behind the other in a byte ring, which
// doubles while it holds less than the wanted span of time and halves when it
// holds much more, within bounds set at creation.
package ring

import (
	"sync"
	"time"

	"aparte/sfu/codec"
)

// MaxPayload is the longest payload stored, with its descriptor, in bytes; a longer
// one cannot have come in one Ethernet frame.
const MaxPayload = 1500

// Packet is one RTP packet without the parts that are rewritten for every
// subscriber.
type Packet struct {
	Meta
	// Payload and Descriptor, the dependency descriptor where it has to be sent on,
	// belong to the batch or buffer they were copied to.
	Payload, Descriptor []byte
}

// Meta is what a packet says beside its payload.
type Meta struct {
	// ExtSeq is the sequence number extended to 64 bits, never 0.
	ExtSeq uint64
	// Arrival is when it came, in nanoseconds on the publisher's clock.
	Arrival int64
	// Timestamp is the RTP timestamp.
	Timestamp uint32
	// SSRC is the source it is of, also where RTX brought it.
	SSRC uint32
	// Epoch changes when the source started over (new SSRC or sequence): numbers
	// and timestamps of different epochs have nothing to do with each other.
	Epoch       uint16
	PayloadType uint8
	Marker      bool
	// HasAudioLevel and AudioLevel are the byte of RFC 6464.
	HasAudioLevel bool
	AudioLevel    uint8
	Facts         codec.Facts
}

// Config bounds a ring. All sizes are rounded up to powers of two.
type Config struct {
	// Span is how long packets should stay.
	Span time.Duration
	// MinPackets and MaxPackets bound the number of packets kept.
	MinPackets, MaxPackets int
	// MinBytes and MaxBytes bound the payload bytes kept.
	MinBytes, MaxBytes int
}

// VideoConfig keeps 1 s of one video layer: enough for three round trips of
// 300 ms. 1 MiB is 8 Mbit/s.
func VideoConfig() Config {
	return Config{Span: time.Second, MinPackets: 32, MaxPackets: 1024, MinBytes: 16 << 10, MaxBytes: 1 << 20}
}

// AudioConfig keeps 500 ms of 20 ms frames of at most about 500 bytes.
func AudioConfig() Config {
	return Config{Span: 500 * time.Millisecond, MinPackets: 32, MaxPackets: 256, MinBytes: 4 << 10, MaxBytes: 64 << 10}
}

// slot holds a packet; its descriptor and behind it its payload lie in Ring.data at
// off.
type slot struct {
	packet     Meta
	off        uint64
	length     uint16 // of both
	descriptor uint8
}

// Ring is one layer's history. Create it with New.
type Ring struct {
	cfg Config // set at creation

	mu sync.Mutex // guards all below

	slots []slot   // by ExtSeq & mask
	order []uint64 // ExtSeq by arrival & mask, as long as slots
	data  []byte   // payloads by arrival
	head  uint64   // bytes ever put into data, padding at its end included

	arrivals   uint64 // packets ever inserted
	seqs       Unwrapper
	epoch      uint16
	keyStart   uint64 // ExtSeq of the newest key frame's first packet
	keyArrival uint64 // and its place in the order of arrival
	lastBad    uint16 // candidate for a restarted source
	badRun     int
	bytesFirst int64  // arrival of the packet at the start of data
	bytesRound uint64 // head at the end of this round of data
}

// New returns an empty ring of the smallest size.
func New(cfg Config) *Ring {
	cfg.MinPackets, cfg.MaxPackets = pow2(cfg.MinPackets), pow2(cfg.MaxPackets)
	cfg.MinBytes, cfg.MaxBytes = pow2(max(cfg.MinBytes, 2*MaxPayload)), pow2(max(cfg.MaxBytes, 2*MaxPayload))
	return &Ring{
		cfg:        cfg,
		slots:      make([]slot, cfg.MinPackets),
		order:      make([]uint64, cfg.MinPackets),
		data:       make([]byte, cfg.MinBytes),
		bytesRound: uint64(cfg.MinBytes),
	}
}

func pow2(n int) int {
	p := 1
	for p < n {
		p <<= 1
	}
	return p
}

// Status says what became of an inserted packet.
type Status uint8

// What Insert may answer.
const (
	Stored    Status = iota // in sequence or filling a gap
	Duplicate               // the same sequence number is there already
	Late                    // older than what the ring holds
	Oversized               // payload longer than MaxPayload
	Restarted               // stored; the source started over, Epoch has changed
)

// Inserted is Insert's answer.
type Inserted struct {
	Status Status
	// ExtSeq is the packet's extended number (also when not stored).
	ExtSeq uint64
	// GapStart..ExtSeq-1 are missing now that this packet came; empty
	// (GapStart == ExtSeq) when it did not move the highest number.
	GapStart uint64
}

// restartAfter is how many packets in sequence outside the window prove that a
// source started over rather than a stray packet (RFC 3550 A.1 asks for 2; probes
// with old numbers come in runs, so we ask for more).
const restartAfter = 16

// Insert stores a copy of p's payload under the sequence number seq and fills
// p.ExtSeq and p.Epoch.
func (r *Ring) Insert(seq uint16, p *Packet) Inserted {
	if len(p.Payload)+len(p.Descriptor) > MaxPayload || len(p.Descriptor) > codec.MaxDescriptor {
		return Inserted{Status: Oversized}
	}
	r.mu.Lock()
	defer r.mu.Unlock()

	high := r.seqs.Highest()
	ext := r.seqs.Peek(seq)
	res := Inserted{ExtSeq: ext, GapStart: ext}
	if s := &r.slots[ext&r.mask()]; s.packet.ExtSeq == ext {
		res.Status = Duplicate
		return res
	}
	if high != 0 && ext+uint64(len(r.slots)) <= high && !r.reach(ext, high, p.Arrival) {
		if !r.startedOver(seq) {
			res.Status = Late
			return res
		}
		return r.restart(seq, p)
	}
	r.badRun = 0
	r.seqs.Extend(seq)
	if high != 0 && ext > high {
		res.GapStart = high + 1
	}
	r.store(ext, p)
	return res
}

// NewSource announces that the following packets come from another SSRC: seq is
// its first number.
func (r *Ring) NewSource(seq uint16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seqs.Highest() == 0 {
		return
	}
	r.epoch++
	r.seqs.Restart(seq - 1) // so that seq itself is the next in order
}

func (r *Ring) restart(seq uint16, p *Packet) Inserted {
	r.epoch++
	ext := r.seqs.Restart(seq)
	r.badRun = 0
	r.store(ext, p)
	return Inserted{Status: Restarted, ExtSeq: ext, GapStart: ext}
}

func (r *Ring) startedOver(seq uint16) bool {
	if r.badRun > 0 && seq == r.lastBad+1 {
		r.badRun++
	} else {
		r.badRun = 1
	}
	r.lastBad = seq
	return r.badRun >= restartAfter
}

func (r *Ring) mask() uint64 { return uint64(len(r.slots) - 1) }

func (r *Ring) store(ext uint64, p *Packet) {
	p.ExtSeq, p.Epoch = ext, r.epoch
	r.resize(ext, p.Arrival)
	r.put(p)
	if p.Facts.Keyframe && ext > r.keyStart {
		r.keyStart, r.keyArrival = ext, r.arrivals-1
	}
}

// put copies p in; there is room for any payload up to MaxPayload.
func (r *Ring) put(p *Packet) {
	d := uint64(len(p.Descriptor))
	n := d + uint64(len(p.Payload))
	size := uint64(len(r.data))
	if at := r.head & (size - 1); at+n > size {
		r.head += size - at // the rest of this round is too short
	}
	at := r.head & (size - 1)
	if at == 0 {
		r.bytesFirst = p.Arrival
	}
	copy(r.data[at:], p.Descriptor)
	copy(r.data[at+d:at+n], p.Payload)
	s := &r.slots[p.ExtSeq&r.mask()]
	s.packet = p.Meta
	s.off, s.length, s.descriptor = r.head, uint16(n), uint8(d)
	r.head += n
	r.order[r.arrivals&r.mask()] = p.ExtSeq
	r.arrivals++
}

// live tells whether the slot's payload has not been overwritten.
func (r *Ring) live(s *slot) bool {
	return s.packet.ExtSeq != 0 && r.head <= s.off+uint64(len(r.data))
}

// copyOut fills p from s, with bytes at the start of buf.
func (r *Ring) copyOut(s *slot, p *Packet, buf []byte) {
	s.lend(p, buf[:copy(buf, r.bytes(s))])
}

// bytes are the slot's descriptor and payload.
func (r *Ring) bytes(s *slot) []byte {
	at := s.off & uint64(len(r.data)-1)
	return r.data[at : at+uint64(s.length)]
}

// lend makes p the slot's packet; its descriptor and payload are b.
func (s *slot) lend(p *Packet, b []byte) {
	p.Meta, p.Payload, p.Descriptor = s.packet, b[s.descriptor:], b[:s.descriptor]
}

// Get copies the packet with the extended number ext out; its descriptor and payload
// are put at the start of buf, which must hold MaxPayload bytes. ok is false when the ring
// has it no more, or never had.
func (r *Ring) Get(ext uint64, buf []byte) (p Packet, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.slots[ext&r.mask()]
	if s.packet.ExtSeq != ext || !r.live(s) || int(s.length) > len(buf) {
		return p, false
	}
	r.copyOut(s, &p, buf)
	return p, true
}

// Has tells whether the packet ext is there.
func (r *Ring) Has(ext uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.slots[ext&r.mask()]
	return s.packet.ExtSeq == ext && r.live(s)
}

// Keyframe is where the newest key frame begins.
type Keyframe struct {
	ExtSeq uint64 // of its first packet
	// Cursor is for Read: what came from that packet on.
	Cursor uint64
	// Arrival is when it came.
	Arrival int64
	// Bytes of payload came from there on, the last packet by number with the timestamp
	// Newest.
	Bytes  int
	Newest uint32
}

// KeyframeStart returns the newest key frame of which the ring still holds the first
// packet, and so all that came after it. ok is false when there is none, or the source
// has started over since.
func (r *Ring) KeyframeStart() (k Keyframe, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.slots[r.keyStart&r.mask()]
	if r.keyStart == 0 || s.packet.ExtSeq != r.keyStart || s.packet.Epoch != r.epoch || !r.live(s) || r.keyArrival < r.oldest() {
		return Keyframe{}, false
	}
	newest := &r.slots[r.seqs.Highest()&r.mask()].packet
	return Keyframe{
		ExtSeq: r.keyStart, Cursor: r.keyArrival, Arrival: s.packet.Arrival,
		Bytes: int(r.head - s.off), Newest: newest.Timestamp,
	}, true
}

// Cursor is the position behind the newest packet: a reader starting there sees
// only what comes from now on.
func (r *Ring) Cursor() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.arrivals
}

// Bytes is the memory the ring holds, for accounting.
func (r *Ring) Bytes() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	const slotBytes = 128
	return len(r.data) + len(r.slots)*(slotBytes+8)
}
