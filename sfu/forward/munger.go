package forward

import (
	"time"

	"aparte/sfu/codec"
	"aparte/sfu/ring"
)

// munger makes one continuous stream of what a DownTrack forwards: sequence
// numbers without gaps of our making, timestamps that follow time across layers
// and pauses, VP8 picture ids that never jump.
//
// A segment is a stretch in which output = input + constant. A new one begins
// with each switch, pause, or packet left out. The last ones are kept: late
// packets go by the segment they belong to, and a NACK finds its way back from
// the sequence number we gave to the ring.
type munger struct {
	clockRate uint32

	segments [maxSegments]segment
	count    uint64 // segments ever begun; the newest is at (count-1)%maxSegments

	started bool
	lastOut uint64 // highest extended number given
	lastTS  uint32 // its timestamp
	lastAt  time.Time
	vp8     vp8State

	leftOut      uint16 // picture id (input) of the last frame left out
	leftOutValid bool
}

// maxSegments is how many changes back a NACK is understood. Padding inside the
// media stream begins one each; browsers pad on RTX instead.
const maxSegments = 32

// noLayer marks a segment of packets that are in no ring.
const noLayer = 0xff

type segment struct {
	out, in uint64 // first output and input number
	ts      uint32 // added to timestamps
	ssrc    uint32 // the publisher's
	epoch   uint16
	layer   uint8
	tids    int8 // highest temporal layer in it
	vp8     vp8Offset
}

// vp8Offset is added to VP8 descriptors, modulo each field's width.
type vp8Offset struct {
	pictureID   uint16
	tl0, keyIdx uint8
}

// vp8State is the newest descriptor given out.
type vp8State struct {
	pictureID   uint16
	tl0, keyIdx uint8
	valid       bool
}

func (m *munger) segment(back uint64) *segment {
	return &m.segments[(m.count-1-back)%maxSegments]
}

func (m *munger) kept() uint64 { return min(m.count, maxSegments) }

func (m *munger) push(s segment) {
	m.segments[m.count%maxSegments] = s
	m.count++
}

// current tells whether p goes on in the newest segment.
func (m *munger) current(layer int, p *ring.Packet) bool {
	if m.count == 0 {
		return false
	}
	s := m.segment(0)
	return s.layer == uint8(layer) && s.epoch == p.Epoch
}

// begin starts a segment at p, whose timestamp becomes ts.
func (m *munger) begin(layer int, ssrc uint32, p *ring.Packet, ts uint32) {
	s := segment{out: m.lastOut + 1, in: p.ExtSeq, ts: ts - p.Timestamp, ssrc: ssrc, epoch: p.Epoch, layer: uint8(layer)}
	if d := &p.Facts.VP8; m.vp8.valid && d.HeaderLen > 0 {
		s.vp8 = vp8Offset{
			pictureID: m.vp8.pictureID + 1 - d.PictureID,
			tl0:       m.vp8.tl0 + 1 - d.TL0PicIdx,
			keyIdx:    m.vp8.keyIdx + 1 - d.KeyIdx,
		}
	}
	m.push(s)
	m.leftOutValid = false
}

// next gives p its number: from the newest segment when it is in order, from the
// one it belongs to when late. ok is false for packets that were left out, or
// belong to a segment we no longer know.
func (m *munger) next(layer int, p *ring.Packet) (out uint64, s *segment, ok bool) {
	for back := range m.kept() {
		s = m.segment(back)
		if s.layer != uint8(layer) || s.epoch != p.Epoch || p.ExtSeq < s.in {
			continue
		}
		out = s.out + p.ExtSeq - s.in
		if back > 0 && out >= m.segment(back-1).out {
			return 0, nil, false
		}
		return out, s, true
	}
	return 0, nil, false
}

// skip leaves out p, which would get out: what follows closes up. It tells whether
// that was possible: a number below the highest given out is already missing at
// the receiver, and late packets of older segments have their place.
func (m *munger) skip(out uint64, p *ring.Packet) bool {
	if out <= m.lastOut || out < m.segment(0).out {
		return false
	}
	if s := m.segment(0); s.in == p.ExtSeq {
		s.in++ // nothing of this segment was sent: no need for another
		return true
	}
	s := *m.segment(0)
	s.out, s.in = out, p.ExtSeq+1
	m.push(s)
	return true
}

// sent notes what was given out, in order or late.
func (m *munger) sent(out uint64, ts uint32, now time.Time) {
	m.started = true
	if out > m.lastOut {
		m.lastOut, m.lastTS, m.lastAt = out, ts, now
	}
}

// synthetic gives n packets of our own their numbers and returns the first.
func (m *munger) synthetic(n uint64) (first uint64) {
	first = m.lastOut + 1
	m.push(segment{out: first, layer: noLayer})
	m.lastOut += n
	m.started = true
	return first
}

// find is the way back: layer, epoch and number in the ring for a number that we
// gave out.
func (m *munger) find(seq uint16) (out, in uint64, s *segment, ok bool) {
	out = uint64(int64(m.lastOut) + int64(int16(seq-uint16(m.lastOut))))
	if !m.started || out > m.lastOut {
		return 0, 0, nil, false
	}
	for back := range m.kept() {
		s = m.segment(back)
		if out < s.out {
			continue
		}
		if s.layer == noLayer {
			return 0, 0, nil, false
		}
		return out, s.in + out - s.out, s, true
	}
	return 0, 0, nil, false
}

// mungeVP8 is the descriptor of p under the segment's offsets. A 7-bit picture id
// stands for the one nearest to the newest given out.
func (m *munger) mungeVP8(s *segment, p *ring.Packet) codec.VP8Descriptor {
	d := p.Facts.VP8
	d.PictureID += s.vp8.pictureID
	if newest := m.vp8.pictureID; m.vp8.valid && !d.LongPictureID {
		ahead := int8(d.PictureID-newest) << 1 >> 1
		d.PictureID = newest + uint16(ahead)
	}
	d.PictureID &= 0x7fff
	d.TL0PicIdx += s.vp8.tl0
	d.KeyIdx = (d.KeyIdx + s.vp8.keyIdx) & 0x1f
	return d
}

// noteVP8 remembers the newest descriptor given out.
func (m *munger) noteVP8(d codec.VP8Descriptor) {
	m.vp8 = vp8State{pictureID: d.PictureID, tl0: d.TL0PicIdx, keyIdx: d.KeyIdx, valid: true}
}

// elapsed is the timestamp for now, counted from the last packet.
func (m *munger) elapsed(now time.Time) uint32 {
	d := now.Sub(m.lastAt)
	return m.lastTS + uint32(int64(d/time.Microsecond)*int64(m.clockRate)/1_000_000)
}

// plausible returns ts when it follows the last timestamp and is not far ahead of
// time, else the timestamp by our clock.
func (m *munger) plausible(ts uint32, now time.Time) uint32 {
	if !m.started {
		return ts
	}
	ahead := int64(int32(ts - m.lastTS))
	most := int64(int32(m.elapsed(now)-m.lastTS)) + 2*int64(m.clockRate)
	if ahead > most || ahead < -2*int64(m.clockRate) {
		ts = m.elapsed(now)
	}
	if int32(ts-m.lastTS) <= 0 {
		// The same instant from another layer. One tick makes it another frame and
		// puts the picture no later against the sound.
		ts = m.lastTS + 1
	}
	return ts
}
