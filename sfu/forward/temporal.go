package forward

import (
	"aparte/sfu/codec"
	"aparte/sfu/congestion"
	"aparte/sfu/ring"
)

// Layers inside one stream: frames of a lower layer never need those of a higher
// one, so that the higher ones can be left out. What remains is numbered without gaps.
//
// Temporal layers (VP8, VP9, AV1, H264 with descriptors): leaving out the upper ones is
// the last thing done for a narrow path before nothing is sent at all. Spatial layers
// (SVC: VP9, AV1) are LOW, MEDIUM and HIGH, as simulcast layers are. All lower ones
// are sent too, even where upper frames could do without them (L3T3_KEY): so going
// down needs no key frame, and takes effect at the next picture.
//
// Fewer layers may be sent from any picture on. More spatial ones only from a key
// picture, more temporal ones where a frame allows it:
//
//	VP8   Y: this frame needs nothing of its own layer (RFC 7741 section 4.2)
//	VP9   U: frames above this one need nothing from before it (RFC 9628 section 4.2)
//	others: the decode target's indication is Switch (AV1 RTP specification A.4)

const (
	allTemporals = congestion.MaxTemporals - 1
	allSpatials  = congestion.MaxLayers - 1
)

// wantedLayers inside the stream are those that the subscriber wants and its path
// has room for.
func (d *DownTrack) wantedLayers() (spatial, temporal int8) {
	s := &d.selector
	spatial = allSpatials
	if d.track.SVC() {
		spatial = max(min(int8(s.max), s.allowed.Layer), 0)
		if d.plain {
			spatial = 0
		}
	}
	return spatial, min(s.allowed.Temporal, s.fine)
}

// tooFine tells whether p, which would get the number out, is of a layer that is left
// out.
func (d *DownTrack) tooFine(s *segment, out uint64, p *ring.Packet) bool {
	f, m := &p.Facts, &d.munger
	if !f.Layered {
		return false
	}
	if out <= m.lastOut || s != m.segment(0) {
		return s.leavesOut(p) // late: as it was then
	}
	if begins := !m.inside || p.Timestamp != m.picture; begins {
		m.picture, m.inside = p.Timestamp, true
		if f.FrameStart || f.Keyframe {
			d.steer(out, p)
		}
	}
	return m.segment(0).leavesOut(p)
}

// steer moves towards the layers that are wanted, at the start of a picture.
func (d *DownTrack) steer(out uint64, p *ring.Packet) {
	sel := &d.selector
	spatial, temporal := d.wantedLayers()
	if spatial == sel.spatial && temporal == sel.temporal && !p.Facts.Keyframe {
		return
	}
	if !p.Facts.Keyframe {
		spatial = min(spatial, sel.spatial)
		if temporal > sel.temporal {
			temporal = finer(&p.Facts, sel.temporal, temporal)
		}
		if spatial == sel.spatial && temporal == sel.temporal {
			return
		}
	}
	sel.spatial, sel.temporal = spatial, temporal
	d.munger.split(out, p, spatial, temporal)
	if d.track.SVC() {
		d.layer.Store(int32(spatial))
	}
}

// finer is the temporal layer that may be sent from the frame f on, which is not the
// first of a stream: between now, which is sent, and want, which is higher.
func finer(f *codec.Facts, now, want int8) int8 {
	tid := int8(f.TID)
	switch d := &f.Descriptor; {
	case f.VP8.HeaderLen > 0:
		if f.VP8.LayerSync && tid > now && tid <= want {
			return tid
		}
	case f.VP9.HeaderLen > 0:
		if f.VP9.SwitchUp && tid <= now {
			return want
		}
	case d.Structure != nil && tid <= now:
		top := int8(d.Structure.Temporals - 1)
		for t := min(want, top); t > now; t-- {
			if !d.SwitchesTo(f.SID, uint8(t)) {
				continue
			}
			if t == top {
				return want
			}
			return t
		}
	}
	return now
}

// leavesOut tells whether p is of a layer that is not in the segment.
func (s *segment) leavesOut(p *ring.Packet) bool {
	return p.Facts.Layered && (int8(p.Facts.TID) > s.tids || int8(p.Facts.SID) > s.sids)
}

// ends tells whether p, which the segment has, is the last of its picture as the
// subscriber sees it: the one with the marker.
func (s *segment) ends(p *ring.Packet) bool {
	return p.Marker || p.Facts.FrameEnd && int8(p.Facts.SID) == s.sids
}

// restrict notes the layers in the segment. Receivers that were told that some
// decode targets do not come remember it until the next structure.
func (s *segment) restrict(p *ring.Packet, sids, tids int8) {
	s.sids, s.tids = sids, tids
	if d := &p.Facts.Descriptor; d.Structure != nil {
		all := d.Structure.UpTo(allSpatials, allTemporals)
		s.masked = s.masked && !d.HasStructure || d.Structure.UpTo(uint8(sids), uint8(tids)) != all
	}
}

// split begins a segment at p that goes on as the one before, with other layers.
func (m *munger) split(out uint64, p *ring.Packet, sids, tids int8) {
	if s := m.segment(0); s.in == p.ExtSeq {
		s.restrict(p, sids, tids)
		return
	}
	s := *m.segment(0)
	s.out, s.in = out, p.ExtSeq
	s.restrict(p, sids, tids)
	m.push(s)
}

// skipFrame is skip for a packet of a frame that is left out. VP8's next picture takes
// its id: a decoder that sees one missing waits for it. VP9's references are
// differences of ids, and AV1's of frame numbers, so those keep theirs.
func (m *munger) skipFrame(out uint64, p *ring.Packet) bool {
	if !m.skip(out, p) {
		return false
	}
	if f := &p.Facts.VP8; f.HasPictureID && (!m.leftOutValid || m.leftOut != f.PictureID) {
		m.segment(0).ids.pictureID--
		m.leftOut, m.leftOutValid = f.PictureID, true
	}
	return true
}
