package forward

import (
	"time"

	"aparte/sfu/congestion"
	"aparte/sfu/publish"
	"aparte/sfu/ring"
)

// keyframeRetry is how often a key frame that does not come is asked for again.
const keyframeRetry = time.Second

// selector decides which layer goes out. It moves from layer to layer only at a
// key frame of the layer it moves to:
//
//	none ──key frame of target──▶ current = target
//	current ──target changes──▶ current goes on, key frame of target asked for
//	        ──key frame of target──▶ current = target
//	        ──source restarted──▶ none
type selector struct {
	max     int       // wanted at most
	target  int       // what it is to be; -1 while nothing is live
	current int       // forwarded now; -1 none
	paused  bool      // by the subscriber
	asked   time.Time // when the key frame of target was last asked for
	// allowed is what the path has room for; spatial and temporal are the highest
	// layers inside the stream that are sent now, see temporal.go.
	allowed           congestion.Choice
	spatial, temporal int8
	fps               int  // wanted at most; 0 all
	fine              int8 // the highest temporal layer that fps asks for
}

func newSelector() selector {
	return selector{max: publish.MaxLayers - 1, target: -1, current: -1, allowed: congestion.All, spatial: allSpatials, temporal: allTemporals, fine: allTemporals}
}

// stopped tells whether nothing is sent: nothing is wanted, or there is no room.
func (s *selector) stopped() bool { return s.paused || s.allowed == congestion.Paused }

// restart waits for a key frame again.
func (d *DownTrack) restart() {
	d.selector.current = -1
	d.replay.on = false
	d.forgetChange()
}

// retarget picks the highest live layer within max, or else the lowest live one.
func (d *DownTrack) retarget() {
	s := &d.selector
	target, most := -1, min(s.max, int(s.allowed.Layer))
	for i := range publish.MaxLayers {
		if l := d.track.Layer(i); l != nil && l.Live(d.worker.now) && (i <= most || target < 0) {
			target = i
		}
	}
	if target < 0 {
		return // keep what we had: it may come back, and nothing else is there
	}
	s.target = target
	if s.fine = allTemporals; s.fps > 0 {
		s.fine = int8(d.track.Layer(target).TemporalFor(s.fps))
	}
}

// awaitsKeyframe tells whether more is wanted, and comes, than what is forwarded
// now, and cannot begin without a key frame.
func (d *DownTrack) awaitsKeyframe() bool {
	s := &d.selector
	if s.current != s.target {
		return true
	}
	if s.current < 0 || !d.track.SVC() {
		return false
	}
	spatial, _ := d.wantedLayers()
	return min(spatial, int8(d.track.Layer(s.current).Spatials(d.worker.now)-1)) > s.spatial
}

// selected tells whether p of the layer is forwarded, switching at key frames.
func (d *DownTrack) selected(layer int, p *ring.Packet) bool {
	s := &d.selector
	if s.stopped() || d.drains {
		return false
	}
	if layer == s.current && d.munger.current(layer, p) {
		if d.change != nil && d.change.next(p) {
			d.takeOver() // the frame's end is lost
			return s.current == layer
		}
		return true
	}
	if d.track.Kind() == publish.Audio {
		if layer != 0 || s.current == 0 && d.lateAudio(p) {
			return s.current == 0 // late packets from before a restart go by their segment
		}
		d.switchTo(layer, p)
		return true
	}
	if layer == s.current {
		// The publisher's source started over under us.
		if d.munger.count > 0 && d.munger.segment(0).layer != noLayer && p.Epoch < d.munger.segment(0).epoch {
			return false
		}
		if !p.Facts.Keyframe {
			if s.target = layer; d.worker.now.Sub(s.asked) >= keyframeRetry {
				d.requestKeyframe()
			}
			return false
		}
		d.switchTo(layer, p)
		return true
	}
	if d.change != nil && layer == d.change.layer && d.noted(p) {
		return s.current == layer
	}
	if layer == s.target && p.Facts.Keyframe {
		if d.inFrame && s.current >= 0 {
			d.postpone(layer, p)
			return false
		}
		d.switchTo(layer, p)
		return true
	}
	return false
}

// lateAudio tells whether p is from before the source restarted.
func (d *DownTrack) lateAudio(p *ring.Packet) bool {
	seg := d.munger.segment(0)
	return d.munger.count > 0 && seg.layer == 0 && p.Epoch < seg.epoch
}

// switchTo makes layer the current one, beginning at p.
func (d *DownTrack) switchTo(layer int, p *ring.Packet) {
	ssrc := d.track.Layer(layer).SSRC()
	ts := d.munger.plausible(d.timestampAt(layer, ssrc, p), d.worker.now)
	d.munger.begin(layer, ssrc, p, ts)
	if d.replay.on {
		d.munger.squeezeUntil(d.replay.newest)
	}
	s := &d.selector
	s.current = layer
	s.spatial, s.temporal = d.wantedLayers() // every key frame allows them
	d.munger.segment(0).restrict(p, s.spatial, s.temporal)
	if d.track.SVC() {
		layer = int(s.spatial)
	}
	d.layer.Store(int32(layer))
}

// timestampAt is the output timestamp for p as the first packet of a segment.
func (d *DownTrack) timestampAt(layer int, ssrc uint32, p *ring.Packet) uint32 {
	m := &d.munger
	if !m.started {
		return p.Timestamp
	}
	// The newest segment that carried media.
	for back := range m.kept() {
		old := m.segment(back)
		if old.layer == noLayer {
			continue
		}
		if old.layer == uint8(layer) && old.epoch == p.Epoch {
			return p.Timestamp + old.ts // the same clock went on
		}
		// Two clocks of one publisher: its sender reports tell what was captured
		// at the same time.
		from, to := d.track.Layer(int(old.layer)).Clock(), d.track.Layer(layer).Clock()
		if from != nil && to != nil && from.Epoch == old.ssrc && to.Epoch == ssrc {
			return from.At(to.When(p.Timestamp)) + old.ts
		}
		break
	}
	return m.elapsed(d.worker.now)
}
