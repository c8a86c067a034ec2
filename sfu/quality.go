package sfu

import (
	"time"

	"github.com/livekit/protocol/livekit"
)

// lossWindow is what packet loss was measured over.
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

// measure notes how well we reach this client: from its receiver reports.
func (s *Session) measure() {
	var loss float64
	var rtt time.Duration
	s.mu.Lock()
	for _, d := range s.downs {
		st := d.down.Stats()
		loss, rtt = max(loss, st.FractionLost), max(rtt, st.RTT)
	}
	s.mu.Unlock()
	s.qualityD.Store(int32(quality(loss, rtt)))
}

// upstream rates how well the client's media reached us since the last time.
// Silence is no loss: a muted or paused track tells nothing.
func (r *room) upstream(m *member) livekit.ConnectionQuality {
	var sum lossWindow
	for _, t := range r.tracks {
		if t.owner != m {
			continue
		}
		var now lossWindow
		layers := t.media.Layers()
		if t.backup != nil {
			layers = append(layers, t.backup.Layers()...)
		}
		for _, l := range layers {
			now.packets += l.Packets
			now.lost += l.Lost
		}
		sum.packets += now.packets - min(t.seen.packets, now.packets)
		sum.lost += now.lost - min(t.seen.lost, now.lost)
		t.seen = now
	}
	const few = 20 // packets: too few to say anything
	if sum.packets+sum.lost < few {
		return livekit.ConnectionQuality_EXCELLENT
	}
	return quality(float64(sum.lost)/float64(sum.packets+sum.lost), 0)
}

// tellQuality sends each member its own quality and that of those it receives
// tracks from. LOST is said of others alone, and only when their connection
// failed: a client told LOST about itself reconnects.
func (r *room) tellQuality() {
	now := make(map[*member]*livekit.ConnectionQualityInfo, len(r.members))
	for _, m := range r.members {
		if !m.active {
			continue
		}
		q := min(r.upstream(m), livekit.ConnectionQuality(m.s.qualityD.Load()))
		now[m] = &livekit.ConnectionQualityInfo{ParticipantSid: m.info.Sid, Quality: q, Score: score(q)}
	}
	for _, m := range r.members {
		var list []*livekit.ConnectionQualityInfo
		if now[m] != nil {
			list = append(list, now[m])
		}
		for other := range r.sources(m) {
			switch {
			case !other.failedAt.IsZero():
				list = append(list, &livekit.ConnectionQualityInfo{ParticipantSid: other.info.Sid, Quality: livekit.ConnectionQuality_LOST})
			case now[other] != nil:
				list = append(list, now[other])
			}
		}
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
