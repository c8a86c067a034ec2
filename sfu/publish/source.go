package publish

// source is one SSRC, guarded by Receiver.mu.
type source struct {
	ssrc     uint32
	mid, rid string // learned from extensions or the SDP; rid is the repaired one for a repair stream
	repair   bool   // RTX
	repairs  uint32 // SSRC it repairs, from the SDP
	section  *Section
	layerAt  int
	layer    *Layer
}

func (s *source) unmap() { s.section, s.layer = nil, nil }

// fromSDP makes sources of the SSRCs the sections name.
func (r *Receiver) fromSDP() {
	for i := range r.list {
		for _, named := range r.list[i].SSRCs {
			src := r.source(named.SSRC)
			if src == nil {
				return
			}
			src.mid = r.list[i].MID
			src.repair = named.Repairs != 0
			src.repairs = named.Repairs
			r.resolve(src)
		}
	}
}

// source returns the entry of ssrc, made on first use; nil when there are too
// many.
func (r *Receiver) source(ssrc uint32) *source {
	if src := r.sources[ssrc]; src != nil {
		return src
	}
	if len(r.sources) >= maxSources {
		return nil
	}
	src := &source{ssrc: ssrc}
	r.sources[ssrc] = src
	return src
}

// learn notes what the packet's header says about its source: sdes extensions
// stand in its first packets, until a report shows that we got them (RFC 8852).
// It tells whether something changed.
func (r *Receiver) learn(src *source) (changed bool) {
	if id := r.ext.MID; id != 0 {
		if b := r.header.GetExtension(id); len(b) > 0 && string(b) != src.mid {
			src.mid, changed = string(b), true
		}
	}
	if id := r.ext.RID; id != 0 {
		if b := r.header.GetExtension(id); len(b) > 0 && string(b) != src.rid {
			src.rid, changed = string(b), true
		}
	}
	if id := r.ext.RepairedRID; id != 0 {
		if b := r.header.GetExtension(id); len(b) > 0 && (!src.repair || string(b) != src.rid) {
			src.rid, src.repair, changed = string(b), true, true
		}
	}
	return changed
}

// resolve finds the section and the layer of src; it may not be known yet.
func (r *Receiver) resolve(src *source) {
	s := r.sections[src.mid]
	if src.mid == "" || s == nil {
		return
	}
	at := s.layerOf(src.rid)
	if src.rid == "" && len(s.RIDs) > 0 {
		at = -1 // simulcast without rid: wait for a packet that has it
	}
	if src.rid == "" && src.repairs != 0 {
		if primary := r.sources[src.repairs]; primary != nil && primary.rid != "" {
			at = s.layerOf(primary.rid)
		}
	}
	if at < 0 {
		return
	}
	src.section, src.layerAt = s, at
	if s.Track != nil {
		src.layer = s.Track.layer(at)
		if !src.repair {
			if rid := src.rid; rid != "" {
				src.layer.rid.Store(&rid)
			}
			src.layer.keyframeWanted.Store(true)
		}
	}
}

// byPayloadType is the last resort of RFC 9143 section 9.2: the payload type
// occurs in one section only.
func (r *Receiver) byPayloadType(src *source, pt uint8) {
	var found *Section
	for i := range r.list {
		s := &r.list[i]
		if c, _ := s.codecByPT(pt); c == nil || len(s.RIDs) > 0 || s.Track == nil {
			continue
		}
		if found != nil {
			return
		}
		found = s
	}
	if found != nil {
		src.mid = found.MID
		r.resolve(src)
	}
}
