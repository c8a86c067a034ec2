package codec

import "bytes"

// Bounds of the dependency descriptor, AV1 RTP specification appendix A.
const (
	maxTemplates = 64
	maxTargets   = 32
	// MaxDescriptor is the longest header extension there is, in bytes.
	MaxDescriptor = 255
)

// Decode target indications, appendix A.4.
const (
	dtiNotPresent = 0
	dtiSwitch     = 2
)

// noLayer marks decode targets of layers that we do not tell apart.
const noLayer = 0xff

// Structure is a template dependency structure: what the frames of a stream need of
// each other. It comes with key frames and does not change afterwards.
type Structure struct {
	raw       []byte // to know it again
	rawBits   int
	offset    uint8
	templates []template
	targets   int
	chains    int
	// layerOf is a decode target's layer, see layerBit; noLayer for none.
	layerOf [maxTargets]uint8
	// upTo are the decode targets that need no more than the layer.
	upTo [MaxSpatials][MaxTemporals]uint32
	// Spatials and Temporals are how many layers there are.
	Spatials, Temporals int
	// Sizes of the spatial layers in pixels; 0 where it does not tell.
	Sizes [MaxSpatials]Size
}

type template struct {
	sid, tid uint8
	dtis     uint64 // two bits for each decode target
}

// Descriptor is the dependency descriptor of one packet.
type Descriptor struct {
	// Structure is the one that the frame's template belongs to; nil when there is
	// no descriptor.
	Structure *Structure
	// Active are the decode targets that the sender still sends.
	Active uint32
	// Frame is the frame's number.
	Frame uint16
	// Switches tells for which layers a decoder may begin here, one bit each, see
	// SwitchesTo.
	Switches uint16
	// HasStructure: a decoder needs this packet to understand those that follow.
	HasStructure bool

	// The mask of active decode targets has its place, or stands, at the bit
	// maskAt of the descriptor, which is bits long.
	hasMask      bool
	maskAt, bits uint16
}

func layerBit(sid, tid uint8) uint8 { return sid*MaxTemporals + tid }

// SwitchesTo tells whether a decoder of the layer may begin at this frame, if it
// has what the frame itself needs.
func (d *Descriptor) SwitchesTo(sid, tid uint8) bool {
	return sid < MaxSpatials && tid < MaxTemporals && d.Switches&(1<<layerBit(sid, tid)) != 0
}

// DescriptorReader reads the dependency descriptors of one stream in order. The
// zero value is ready.
type DescriptorReader struct {
	// newest and last: a late packet may belong to the structure before.
	newest, last *Structure
	active       uint32
}

// Read reads the descriptor b into f. ok is false when it is malformed, or when it
// speaks of a structure that never came.
func (dr *DescriptorReader) Read(b []byte, f *Facts) (ok bool) {
	if len(b) < 3 || len(b) > MaxDescriptor {
		return false
	}
	r := bitReader{p: b}
	d := &f.Descriptor
	f.FrameStart = r.flag()
	f.FrameEnd = r.flag()
	id := uint8(r.read(6))
	d.Frame = uint16(r.read(16))
	d.maskAt = 24
	var mask, dtis, fdiffs, chains bool
	s := dr.newest
	if len(b) > 3 {
		d.HasStructure, mask, dtis, fdiffs, chains = r.flag(), r.flag(), r.flag(), r.flag(), r.flag()
		if d.HasStructure {
			if s = dr.structure(&r); s == nil {
				return false
			}
		}
		d.maskAt = uint16(r.at)
	}
	if s == nil {
		return false
	}
	t := s.template(id)
	if t == nil && dr.last != nil && !d.HasStructure {
		s = dr.last
		t = s.template(id)
	}
	if t == nil {
		return false
	}
	active := dr.active
	if d.HasStructure {
		active = s.all()
	}
	if d.hasMask = mask; mask {
		active = r.read(s.targets)
	}
	targets := t.dtis
	if dtis {
		targets = 0
		for i := range s.targets {
			targets |= uint64(r.read(2)) << (2 * i)
		}
	}
	if fdiffs {
		for n := r.read(2); n != 0 && !r.bad; n = r.read(2) {
			r.read(int(4 * n))
		}
	}
	if chains {
		for range s.chains {
			r.read(8)
		}
	}
	if r.bad {
		return false
	}
	d.bits = uint16(r.at)
	d.Structure, d.Active = s, active
	f.Layered = s.Spatials > 1 || s.Temporals > 1
	f.TID, f.SID = t.tid, t.sid
	for i := range s.targets {
		if targets>>(2*i)&3 == dtiSwitch && s.layerOf[i] != noLayer {
			d.Switches |= 1 << s.layerOf[i]
		}
	}
	f.Keyframe = d.HasStructure && f.FrameStart
	if s != dr.newest && d.HasStructure {
		dr.last, dr.newest = dr.newest, s
	}
	if s == dr.newest {
		dr.active = active
	}
	return true
}

// template of the id on the wire, appendix A.3.
func (s *Structure) template(id uint8) *template {
	if i := int(id-s.offset) & 63; i < len(s.templates) {
		return &s.templates[i]
	}
	return nil
}

// all are all decode targets.
func (s *Structure) all() uint32 { return uint32(1<<s.targets - 1) }

// UpTo are the decode targets that need no more than the spatial and temporal
// layers up to these.
func (s *Structure) UpTo(sid, tid uint8) uint32 {
	return s.upTo[min(sid, MaxSpatials-1)][min(tid, MaxTemporals-1)]
}

// structure reads a template dependency structure. It returns the newest one when
// that is repeated, so that key frames allocate nothing.
func (dr *DescriptorReader) structure(r *bitReader) *Structure {
	if n := dr.newest; n != nil && same(r.p, n.raw, r.at, n.rawBits) {
		r.at = n.rawBits
		return n
	}
	s := parseStructure(r)
	if s != nil {
		s.raw, s.rawBits = bytes.Clone(r.p), r.at
	}
	return s
}

// same tells whether the bits from..to of a and b are equal.
func same(a, b []byte, from, to int) bool {
	first, last := from/8, (to+7)/8
	if len(a) < last || len(b) < last {
		return false
	}
	if (a[first]^b[first])&(0xff>>(from%8)) != 0 {
		return false
	}
	if to%8 != 0 {
		last--
		if (a[last]^b[last])>>(8-to%8) != 0 {
			return false
		}
	}
	return bytes.Equal(a[first+1:last], b[first+1:last])
}

// parseStructure is template_dependency_structure of appendix A.2; nil when it is
// malformed.
func parseStructure(r *bitReader) *Structure {
	s := &Structure{offset: uint8(r.read(6))}
	s.targets = int(r.read(5)) + 1
	if !s.readTemplates(r) {
		return nil
	}
	for i := range s.templates {
		for dt := range s.targets {
			s.templates[i].dtis |= uint64(r.read(2)) << (2 * dt)
		}
	}
	for range s.templates {
		for r.flag() {
			r.read(4)
		}
	}
	if s.chains = int(r.ns(uint32(s.targets + 1))); s.chains > 0 {
		for range s.targets {
			r.ns(uint32(s.chains))
		}
		for range len(s.templates) * s.chains {
			r.read(4)
		}
	}
	if r.flag() {
		for i := range s.top() + 1 {
			size := Size{uint16(r.read(16)) + 1, uint16(r.read(16)) + 1}
			if i < MaxSpatials {
				s.Sizes[i] = size
			}
		}
	}
	if r.bad {
		return nil
	}
	s.findTargets()
	return s
}

// readTemplates is template_layers of appendix A.2.
func (s *Structure) readTemplates(r *bitReader) bool {
	for sid, tid := uint8(0), uint8(0); ; {
		if len(s.templates) == maxTemplates || sid > 3 || tid > 7 || r.bad {
			return false
		}
		s.templates = append(s.templates, template{sid: sid, tid: tid})
		switch r.read(2) {
		case 1:
			tid++
		case 2:
			sid, tid = sid+1, 0
		case 3:
			return !r.bad
		}
	}
}

func (s *Structure) top() uint8 { return s.templates[len(s.templates)-1].sid }

// findTargets is decode_target_layers of appendix A.2, and what follows from it.
// Layers above those we tell apart count as the highest we do.
func (s *Structure) findTargets() {
	for dt := range s.targets {
		var sid, tid uint8
		needed := false
		for _, t := range s.templates {
			if t.dtis>>(2*dt)&3 != dtiNotPresent {
				sid, tid, needed = max(sid, t.sid), max(tid, t.tid), true
			}
		}
		s.layerOf[dt] = noLayer
		if !needed {
			continue
		}
		if sid < MaxSpatials && tid < MaxTemporals {
			s.layerOf[dt] = layerBit(sid, tid)
		}
		for i := range uint8(MaxSpatials) {
			for j := range uint8(MaxTemporals) {
				if min(sid, MaxSpatials-1) <= i && min(tid, MaxTemporals-1) <= j {
					s.upTo[i][j] |= 1 << dt
				}
			}
		}
	}
	for i := range s.templates {
		t := &s.templates[i]
		t.sid, t.tid = min(t.sid, MaxSpatials-1), min(t.tid, MaxTemporals-1)
		s.Spatials, s.Temporals = max(s.Spatials, int(t.sid)+1), max(s.Temporals, int(t.tid)+1)
	}
}

// Rewrite appends the descriptor raw, which d describes, to dst with another frame
// number and, if masked, with active as its mask of active decode targets.
func (d *Descriptor) Rewrite(dst, raw []byte, frame uint16, masked bool, active uint32) []byte {
	if !masked {
		at := len(dst)
		dst = append(dst, raw...)
		dst[at+1], dst[at+2] = byte(frame>>8), byte(frame)
		return dst
	}
	r, w := bitReader{p: raw}, bitWriter{p: dst}
	w.copy(&r, 8)
	r.read(16)
	w.write(uint32(frame), 16)
	if len(raw) > 3 {
		w.copy(&r, 1)
		r.read(1)
		w.write(1, 1)
		w.copy(&r, int(d.maskAt)-r.at)
		if d.hasMask {
			r.read(d.Structure.targets)
		}
	} else {
		w.write(0b01000, 5) // a mask and nothing else
	}
	w.write(active, d.Structure.targets)
	w.copy(&r, int(d.bits)-r.at)
	return w.p
}
