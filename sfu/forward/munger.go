package forward

import (
	"time"

	"aparte/sfu/ring"
)

// munger makes one continuous stream of what a DownTrack forwards: sequence
// numbers without gaps of our making, timestamps that follow time across layers
// and pauses, picture ids (VP8, VP9) and frame numbers (AV1) that never jump.
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
	newest  pictureIDs // given out
	valid   bool       // newest is set
	picture uint32     // input timestamp of the newest picture with layers
	inside  bool       // picture is set

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
	// sids and tids are the highest spatial and temporal layer in it.
	sids, tids int8
	// masked: receivers know that some decode targets do not come, see describe.
	masked bool
	// squeezed: frames before the timestamp newest are brought close to it, see replay.go.
	squeezed bool
	newest   uint32
	ids      pictureIDs // added
}

// pictureIDs are what payloads number pictures by: VP8 and VP9 descriptors, and the
// dependency descriptor's frame. Each field counts modulo its width.
type pictureIDs struct {
	pictureID, frame uint16
	tl0, keyIdx      uint8
}

// idsOf are those of p.
func idsOf(p *ring.Packet) pictureIDs {
	f := &p.Facts
	switch {
	case f.VP8.HeaderLen > 0:
		return pictureIDs{pictureID: f.VP8.PictureID, tl0: f.VP8.TL0PicIdx, keyIdx: f.VP8.KeyIdx}
	case f.VP9.HeaderLen > 0:
		return pictureIDs{pictureID: f.VP9.PictureID, tl0: f.VP9.TL0PicIdx}
	}
	return pictureIDs{frame: f.Descriptor.Frame}
}

// plus adds each field.
func (a pictureIDs) plus(b pictureIDs) pictureIDs {
	return pictureIDs{a.pictureID + b.pictureID, a.frame + b.frame, a.tl0 + b.tl0, a.keyIdx + b.keyIdx}
}

// until is what must be added so that b comes next after a.
func (a pictureIDs) until(b pictureIDs) pictureIDs {
	return pictureIDs{a.pictureID + 1 - b.pictureID, a.frame + 1 - b.frame, a.tl0 + 1 - b.tl0, a.keyIdx + 1 - b.keyIdx}
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
	if m.valid {
		s.ids = m.newest.until(idsOf(p))
	}
	m.push(s)
	m.leftOutValid, m.inside = false, false
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

// ids are p's in the segment. VP8's picture id of 7 bits stands for the one nearest
// to the newest given out.
func (m *munger) ids(s *segment, p *ring.Packet) pictureIDs {
	ids := idsOf(p).plus(s.ids)
	if v := &p.Facts.VP8; v.HeaderLen > 0 && m.valid && !v.LongPictureID {
		ahead := int8(ids.pictureID-m.newest.pictureID) << 1 >> 1
		ids.pictureID = m.newest.pictureID + uint16(ahead)
	}
	ids.pictureID &= 0x7fff
	ids.keyIdx &= 0x1f
	return ids
}

// note remembers the newest ids given out.
func (m *munger) note(ids pictureIDs) { m.newest, m.valid = ids, true }

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
