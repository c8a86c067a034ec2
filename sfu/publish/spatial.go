package publish

import (
	"sync/atomic"
	"time"

	"aparte/sfu/codec"
	"aparte/sfu/congestion"
	"aparte/sfu/ring"
)

// Layers inside one stream: VP9 and AV1 come as SVC, with up to three spatial layers
// under one SSRC, and most codecs with temporal ones. What is offered to subscribers
// is the same as with simulcast: LOW, MEDIUM, HIGH.

// spatial is one spatial layer of a stream; without SVC there is only the first.
type spatial struct {
	lastArrival atomic.Int64  // ns since Layer.start; 0 never
	size        atomic.Uint32 // width << 16 | height
	wire        wireRates
}

func (s *spatial) pixels() (width, height int) {
	size := s.size.Load()
	return int(size >> 16), int(size & 0xffff)
}

func (s *spatial) setSize(w, h uint16) {
	if w != 0 && h != 0 {
		s.size.Store(uint32(w)<<16 | uint32(h))
	}
}

func (l *Layer) liveSpatial(i int, now time.Time) bool {
	at := l.spatials[i].lastArrival.Load()
	return at != 0 && now.Sub(l.start)-time.Duration(at) < liveFor
}

// Spatials is how many spatial layers come inside the stream now; 1 without SVC.
func (l *Layer) Spatials(now time.Time) int {
	for i := len(l.spatials) - 1; i > 0; i-- {
		if l.liveSpatial(i, now) {
			return i + 1
		}
	}
	return 1
}

// SVC tells whether one stream of the track carries several spatial layers.
func (t *Track) SVC() bool {
	l := t.layers[0].Load()
	return l != nil && l.svc.Load()
}

// noteSpatial takes one packet in order of arrival.
func (l *Layer) noteSpatial(p *ring.Packet, now time.Time) {
	s := &l.spatials[p.Facts.SID]
	s.lastArrival.Store(max(int64(now.Sub(l.start)), 1))
	s.wire.count(p)
	if p.Facts.SID > 0 && !l.svc.Load() {
		l.svc.Store(true)
	}
}

// noteSizes takes what a packet says about the size of pictures.
func (l *Layer) noteSizes(p *ring.Packet) {
	f := &p.Facts
	l.spatials[0].setSize(f.Width, f.Height)
	sizes := [codec.MaxSpatials]codec.Size{}
	if f.Descriptor.HasStructure {
		sizes = f.Descriptor.Structure.Sizes
	} else if f.VP9.HasStructure {
		_, sizes, _ = f.VP9.Sizes(p.Payload)
	}
	for i, size := range sizes {
		l.spatials[i].setSize(size.Width, size.Height)
	}
}

// frameRates measure pictures a second by temporal layer.
type frameRates struct {
	counts, before [congestion.MaxTemporals]uint32 // guarded by Receiver.mu
	timestamp      uint32                          // of the newest picture
	// milli is each temporal layer with those below it, in pictures per 1,000 s; 0
	// where there is none.
	milli [congestion.MaxTemporals]atomic.Uint32
}

// count takes a packet that is newer than all before.
func (f *frameRates) count(p *ring.Packet) {
	if p.Timestamp != f.timestamp && len(p.Payload) > 0 {
		f.timestamp = p.Timestamp
		f.counts[p.Facts.TID]++
	}
}

// measure takes a quarter of what came in d, as wireRates does.
func (f *frameRates) measure(d time.Duration) {
	sum := uint32(0)
	for i := range f.counts {
		n := f.counts[i] - f.before[i]
		f.before[i] = f.counts[i]
		old := f.milli[i].Load()
		if n == 0 && old == 0 {
			continue
		}
		sum += uint32(int64(n) * 1000 * int64(time.Second) / int64(d))
		now := (3*old + sum) / 4
		if old == 0 {
			now = sum
		}
		f.milli[i].Store(now)
	}
}

// TemporalFor is the lowest temporal layer that has, with those below it, so many
// pictures a second, or nearly: a wish for 15 means half of 30 even when the camera
// gives 29. The highest when none has, or nothing was measured.
func (l *Layer) TemporalFor(fps int) int {
	for i := range l.frames.milli {
		if milli := l.frames.milli[i].Load(); milli*10 >= uint32(fps)*9000 {
			return i
		}
	}
	return congestion.MaxTemporals - 1
}
