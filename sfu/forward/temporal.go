package forward

import (
	"aparte/sfu/congestion"
	"aparte/sfu/ring"
)

// Temporal layers of VP8 (RFC 7741 section 4.2): frames of layer 0 need only each
// other, those above need lower ones as well. Leaving out the upper ones is the
// last thing done for a narrow path before nothing is sent at all. What remains is
// numbered without gaps, pictures too: a decoder that sees a picture id missing
// waits for it.
//
// Fewer layers may be sent from any frame on; more only from a frame that says it
// needs nothing of its own layer (Y), or a key frame.

const allTemporals = congestion.MaxTemporals - 1

// tooFine tells whether p, which would get the number out, is of a temporal layer
// that is left out.
func (d *DownTrack) tooFine(s *segment, out uint64, p *ring.Packet) bool {
	f := &p.Facts.VP8
	if !f.HasTID {
		return false
	}
	if out <= d.munger.lastOut {
		return s.leavesOut(p) // late: as it was then
	}
	if sel := &d.selector; f.Start && sel.temporal != sel.allowed.Temporal {
		d.steer(out, p)
	}
	return int8(f.TID) > d.selector.temporal
}

// steer moves towards the temporal layer that is allowed, at the start of a frame.
func (d *DownTrack) steer(out uint64, p *ring.Packet) {
	sel, tid := &d.selector, int8(p.Facts.VP8.TID)
	switch want := sel.allowed.Temporal; {
	case want < sel.temporal || p.Facts.Keyframe:
		sel.temporal = want
	case tid > sel.temporal && tid <= want && p.Facts.VP8.LayerSync:
		sel.temporal = tid
	default:
		return
	}
	d.munger.split(out, p, sel.temporal)
}

// leavesOut tells whether p was left out of the segment.
func (s *segment) leavesOut(p *ring.Packet) bool {
	return p.Facts.VP8.HasTID && int8(p.Facts.VP8.TID) > s.tids
}

// split begins a segment at p that goes on as the one before, with other temporal
// layers.
func (m *munger) split(out uint64, p *ring.Packet, tids int8) {
	if s := m.segment(0); s.in == p.ExtSeq {
		s.tids = tids
		return
	}
	s := *m.segment(0)
	s.out, s.in, s.tids = out, p.ExtSeq, tids
	m.push(s)
}

// skipFrame is skip for a packet of a frame that is left out: the next picture
// takes its id.
func (m *munger) skipFrame(out uint64, p *ring.Packet) bool {
	if !m.skip(out, p) {
		return false
	}
	if f := &p.Facts.VP8; f.HasPictureID && (!m.leftOutValid || m.leftOut != f.PictureID) {
		m.segment(0).vp8.pictureID--
		m.leftOut, m.leftOutValid = f.PictureID, true
	}
	return true
}
