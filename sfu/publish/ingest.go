package publish

import (
	"encoding/binary"
	"time"

	"aparte/sfu/codec"
	"aparte/sfu/ring"
)

// handleRTP takes one decrypted RTP packet in the SRTP goroutine. b is Pion's and
// reused after the call.
func (r *Receiver) handleRTP(b []byte) {
	now := time.Now()
	r.mu.Lock()
	track, layer, last := r.ingest(b, now)
	urgent := layer >= 0 && r.urgent(track, layer)
	r.mu.Unlock()
	if layer < 0 {
		return
	}
	track.notify(layer, last)
	if urgent {
		r.wakeTicker()
	}
}

// ingest stores the packet and names track and layer, layer -1 when there is
// nothing to forward. last is what Sink.Packets says.
func (r *Receiver) ingest(b []byte, now time.Time) (track *Track, layer int, last bool) {
	r.stats.Packets++
	if most := r.cfg.PacketsPerSecond; most > 0 && !r.pace.allows(most, now) {
		r.stats.Flooded++
		return nil, -1, false
	}
	n, err := r.header.Unmarshal(b)
	if err != nil {
		r.stats.Malformed++
		return nil, -1, false
	}
	r.recordTWCC(now)
	payload := b[n:]
	if r.header.Padding {
		pad := 0
		if len(payload) > 0 {
			pad = int(payload[len(payload)-1])
		}
		if pad == 0 || pad > len(payload) {
			r.stats.Malformed++
			return nil, -1, false
		}
		payload = payload[:len(payload)-pad]
	}
	src := r.source(r.header.SSRC)
	if src == nil {
		r.stats.Overflow++
		if !r.overflowed.Load() {
			go r.overflow() // not under mu
		}
		return nil, -1, false
	}
	if r.learn(src) || src.section == nil {
		src.unmap()
		r.resolve(src)
	}
	if src.section == nil && src.mid == "" {
		r.byPayloadType(src, r.header.PayloadType)
	}
	if src.section == nil {
		// Without the section neither payload types nor extension ids mean
		// anything, and nobody can have subscribed. Waiting packets are not worth
		// keeping: video starts at the key frame we ask for once it is known.
		r.stats.UnknownSource++
		return nil, -1, false
	}
	if src.layer == nil || src.section.Track.Closed() {
		r.stats.NoTrack++
		return nil, -1, false
	}
	return r.store(src, payload, now)
}

// store unwraps RTX and puts the packet into its layer's ring.
func (r *Receiver) store(src *source, payload []byte, now time.Time) (*Track, int, bool) {
	track, l := src.section.Track, src.layer
	c, repair := src.section.codecByPT(r.header.PayloadType)
	if c == nil {
		r.stats.UnknownCodec++
		return nil, -1, false
	}
	if track.kind == Audio && !l.pace.allows(soundPerSecond, now) {
		r.stats.Flooded++
		return nil, -1, false
	}
	seq := r.header.SequenceNumber
	if repair {
		// RFC 4588 section 4: the original sequence number stands in front.
		if len(payload) < 2 {
			r.stats.Padding++
			return nil, -1, false
		}
		seq = binary.BigEndian.Uint16(payload)
		payload = payload[2:]
		if l.ssrc.Load() == 0 {
			r.stats.Late++ // repair of what we never saw
			return nil, -1, false
		}
	} else if l.ssrc.Load() != src.ssrc {
		r.newSource(l, src.ssrc, seq)
	}
	if l.in.clockRate != c.ClockRate {
		l.in.clockRate = c.ClockRate
	}
	silenced := track.silenced.Load()
	if silenced {
		r.stats.Silenced++
		payload = nil // its number counts, so that it is not asked for again
	}

	p := ring.Packet{Payload: payload, Meta: ring.Meta{
		Arrival:     int64(now.Sub(track.start)) + 1,
		Timestamp:   r.header.Timestamp,
		SSRC:        l.ssrc.Load(),
		PayloadType: c.PayloadType,
		Marker:      r.header.Marker,
	}}
	descriptors := l.in.descriptors // kept if the packet is
	if len(payload) == 0 {
		r.stats.Padding++
	} else if !r.inspect(&p, c.Type, l, &descriptors) {
		p.Payload = nil // keep the number, so that it is not asked for again
	}
	if id := r.ext.AudioLevel; id != 0 && track.kind == Audio && !silenced {
		p.AudioLevel, _, p.HasAudioLevel = codec.AudioLevel(r.header.GetExtension(id))
		p.AudioLevel |= voiceBit(r.header.GetExtension(id))
	}

	if c.Type == codec.RED {
		r.restore(src.section, l, seq, &p, now)
	}
	res := l.ring.Insert(seq, &p)
	switch res.Status {
	case ring.Duplicate:
		r.stats.Duplicate++
		return nil, -1, false
	case ring.Late:
		r.stats.Late++
		return nil, -1, false
	case ring.Oversized:
		r.stats.Oversized++
		return nil, -1, false
	case ring.Restarted:
		l.in.restart(res.ExtSeq)
		l.clock.Store(nil)
	}
	l.in.descriptors = descriptors
	if asked, once := l.account(&p, res, repair, now); once && repair {
		r.rtt.repaired(now.Sub(asked))
	}
	if repair {
		r.stats.Recovered++
	}
	if p.HasAudioLevel {
		track.hear(l, p.AudioLevel&0x7f, now)
		if track.floor != nil {
			track.floor.hear(track, p.AudioLevel&0x7f, now)
		}
	}
	if p.Facts.Keyframe {
		l.keyframeWanted.Store(false)
		l.noteSizes(&p)
	}
	return track, src.layerAt, p.Marker || track.kind == Audio
}

// inspect fills p.Facts. It returns false, and counts why, when the payload is of no
// use to anyone.
func (r *Receiver) inspect(p *ring.Packet, t codec.Type, l *Layer, descriptors *codec.DescriptorReader) bool {
	var ok bool
	if p.Facts, ok = codec.Inspect(t, p.Payload); !ok {
		r.stats.Malformed++
		p.Facts = codec.Facts{}
		return false
	}
	var b []byte
	if id := r.ext.Descriptor; id != 0 && (t == codec.AV1 || t == codec.H264) {
		b = r.header.GetExtension(id)
	}
	switch t {
	case codec.H264:
		l.in.beginsAt(&p.Facts)
		if f := p.Facts; len(b) > 0 && descriptors.Read(b, &f) {
			f.Keyframe = p.Facts.Keyframe // the slice may come in the next packet
			p.Facts = f
		}
	case codec.AV1:
		if len(b) == 0 {
			break // one layer, as far as we know
		}
		f := p.Facts
		if !descriptors.Read(b, &f) {
			// Nobody can decode it before the structure came, by RTX or anew.
			r.stats.NoStructure++
			l.keyframeWanted.Store(true)
			p.Facts = codec.Facts{}
			return false
		}
		p.Facts, p.Descriptor = f, b
	}
	return true
}

// voiceBit is the V bit of RFC 6464, forwarded with the level.
func voiceBit(element []byte) uint8 {
	if len(element) > 0 {
		return element[0] & 0x80
	}
	return 0
}

// newSource: the layer's packets come from another SSRC than before.
func (r *Receiver) newSource(l *Layer, ssrc uint32, seq uint16) {
	if l.ssrc.Swap(ssrc) != 0 {
		l.ring.NewSource(seq)
		l.clock.Store(nil)
	}
	l.in = inbound{}
	l.keyframeWanted.Store(true)
}

// recordTWCC notes the arrival of every packet with a transport-wide number,
// whatever its SSRC: padding probes are what the sender's estimate rises by.
func (r *Receiver) recordTWCC(now time.Time) {
	id := r.ext.TransportCC
	if id == 0 {
		return
	}
	b := r.header.GetExtension(id)
	if len(b) < 2 {
		return
	}
	r.sawTWCC = true
	r.recorder.Record(r.header.SSRC, binary.BigEndian.Uint16(b), now.Sub(r.start).Microseconds())
}

// urgent tells whether Tick should come at once: a key frame is wanted and may be
// asked for.
func (r *Receiver) urgent(t *Track, layer int) bool {
	l := t.layers[layer].Load()
	return t.kind == Video && l.keyframeWanted.Load() && l.in.pliSent.IsZero()
}
