package sfu

import (
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/sfu/publish"
)

// lossWindow is what packet loss is measured over.
type lossWindow struct{ packets, lost uint64 }

// quality rates a path by the share of packets lost and the round trip. The
// borders are those where people notice: 2% costs sharpness, 8% costs words.
func quality(loss float64, rtt time.Duration) livekit.ConnectionQuality {
	switch {
	case loss >= 0.08 || rtt >= 800*time.Millisecond:
		return livekit.ConnectionQuality_POOR
	case loss >= 0.02 || rtt >= 400*time.Millisecond:
		return livekit.ConnectionQuality_GOOD
	}
	return livekit.ConnectionQuality_EXCELLENT
}

func score(q livekit.ConnectionQuality) float32 {
	switch q {
	case livekit.ConnectionQuality_EXCELLENT:
		return 5
	case livekit.ConnectionQuality_GOOD:
		return 3.5
	case livekit.ConnectionQuality_POOR:
		return 2
	}
	return 0
}

// windowSeconds is how long downstream loss is averaged: an update's interval.
const windowSeconds = 5

// measure notes how well we reach this client: by what its receiver reports say of
// the last seconds, and by what its path has no room for. Called each second.
func (s *Session) measure() {
	now := lossWindow{}
	var rtt time.Duration
	least := livekit.ConnectionQuality_EXCELLENT
	s.mu.Lock()
	for _, d := range s.downs {
		st := d.down.Stats()
		rtt = max(rtt, st.RTT)
		now.add(lossWindow{st.Packets, uint64(st.TotalLost)}.since(d.counted))
		d.counted = lossWindow{st.Packets, uint64(st.TotalLost)}
		switch {
		case d.down.Held():
			least = livekit.ConnectionQuality_POOR
		case d.down.Reach() < everything:
			least = min(least, livekit.ConnectionQuality_GOOD)
		}
	}
	s.mu.Unlock()
	copy(s.window[1:], s.window[:windowSeconds-1])
	s.window[0] = now
	var sum lossWindow
	for _, w := range s.window {
		sum.add(w)
	}
	s.qualityD.Store(int32(min(least, quality(sum.lossDown(), rtt))))
}

func (w *lossWindow) add(o lossWindow) {
	w.packets += o.packets
	w.lost += o.lost
}

// since is what came after before. Repairs may have made fewer losses of it.
func (w lossWindow) since(before lossWindow) lossWindow {
	return lossWindow{w.packets - min(before.packets, w.packets), w.lost - min(before.lost, w.lost)}
}

// few packets say nothing.
const few = 20

// lossDown is the share of what we sent; lossUp of what came and what did not.
func (w lossWindow) lossDown() float64 {
	if w.packets < few {
		return 0
	}
	return float64(w.lost) / float64(w.packets)
}

func (w lossWindow) lossUp() float64 {
	if w.packets+w.lost < few {
		return 0
	}
	return float64(w.lost) / float64(w.packets+w.lost)
}

// upstream rates how well the client's media reached us since the last time.
func (r *room) upstream(m *member, now time.Time) livekit.ConnectionQuality {
	var sum lossWindow
	least := livekit.ConnectionQuality_EXCELLENT
	for _, t := range r.tracks {
		if t.owner != m {
			continue
		}
		came := t.count().since(t.seen)
		t.seen = t.count()
		sum.add(came)
		least = min(least, t.missing(came.packets > 0, now))
	}
	return min(least, quality(sum.lossUp(), 0))
}

func (t *track) count() (sum lossWindow) {
	layers := t.media.Layers()
	if t.backup != nil {
		layers = append(layers, t.backup.Layers()...)
	}
	for _, l := range layers {
		sum.add(lossWindow{l.Packets, l.Lost})
	}
	return sum
}

// settleTime is what an encoder gets to begin, and a path to widen, before what
// does not come counts.
const settleTime = 10 * time.Second

// missing rates what is expected of the track and does not come: nothing at all is
// poor, and without the largest picture that is asked for it is good at best. Mute
// and silence are not missing, nor what nobody asks for.
func (t *track) missing(came bool, now time.Time) livekit.ConnectionQuality {
	if top := t.expected(); top != t.expecting {
		t.expecting, t.expectedAt = top, now
	}
	if t.expecting == nothing || now.Sub(t.expectedAt) < settleTime {
		return livekit.ConnectionQuality_EXCELLENT
	}
	if !came {
		return livekit.ConnectionQuality_POOR
	}
	if t.media.Kind() == publish.Video && !t.regressed && t.info.Source != livekit.TrackSource_SCREEN_SHARE {
		for _, l := range t.wantedLayers() {
			if media := t.media.Layer(l); media == nil || !media.Live(now) {
				return livekit.ConnectionQuality_GOOD
			}
		}
	}
	return livekit.ConnectionQuality_EXCELLENT
}

// expected is the highest layer that the publisher should be sending, or nothing.
func (t *track) expected() int {
	switch {
	case t.info.Muted:
		return nothing
	case t.media.Kind() == publish.Audio:
		// Silence with DTX is next to nothing, and a source that never began may
		// have nothing to say.
		if t.info.DisableDtx && t.seen.packets > 0 { //nolint:staticcheck // as announced
			return everything
		}
		return nothing
	case !t.owner.s.params.dynacast():
		return everything
	}
	top := nothing
	for _, d := range t.demands {
		top = max(top, min(d.told, d.want))
	}
	return top
}

// wantedLayers are the simulcast layers that should come, as the client announced
// them; none where one stream carries them all.
func (t *track) wantedLayers() (layers []int) {
	c := t.info.Codecs[0]
	if len(c.Layers) < 2 || !oneLayerPerStream(c) {
		return nil
	}
	for _, l := range c.Layers {
		if top := min(t.demands[0].told, t.demands[0].want); int(l.Quality) <= top {
			layers = append(layers, int(l.Quality))
		}
	}
	return layers
}

// tellQuality sends each member what changed: its own quality and that of those it
// receives tracks from. LOST is said of others alone, and only when their
// connection failed: a client told LOST about itself joins anew, which cures
// nothing that we could see from here.
func (r *room) tellQuality(at time.Time) {
	now := make(map[*member]livekit.ConnectionQuality, len(r.members))
	for _, m := range r.members {
		if m.active {
			now[m] = min(r.upstream(m, at), livekit.ConnectionQuality(m.s.qualityD.Load()))
		}
	}
	for _, m := range r.members {
		var list []*livekit.ConnectionQualityInfo
		next := make(map[string]livekit.ConnectionQuality, len(m.qualities))
		tell := func(of *member, q livekit.ConnectionQuality) {
			if q == livekit.ConnectionQuality_LOST && m.s.params.Client.GetProtocol() < 11 {
				q = livekit.ConnectionQuality_POOR // older clients do not know LOST
			}
			sid := of.info.Sid
			next[sid] = q
			if before, told := m.qualities[sid]; !told || before != q {
				list = append(list, &livekit.ConnectionQualityInfo{ParticipantSid: sid, Quality: q, Score: score(q)})
			}
		}
		if q, active := now[m]; active {
			tell(m, q)
		}
		for other := range r.sources(m) {
			if q, active := now[other]; !other.failedAt.IsZero() {
				tell(other, livekit.ConnectionQuality_LOST)
			} else if active {
				tell(other, q)
			}
		}
		m.qualities = next
		if len(list) == 0 {
			continue
		}
		m.s.send(&livekit.SignalResponse{Message: &livekit.SignalResponse_ConnectionQuality{
			ConnectionQuality: &livekit.ConnectionQualityUpdate{Updates: list},
		}})
	}
}

// sources are the members m receives tracks from.
func (r *room) sources(m *member) map[*member]bool {
	out := map[*member]bool{}
	for _, t := range r.tracks {
		if !t.owner.hidden() && wants(m, t) {
			out[t.owner] = true
		}
	}
	return out
}
