package sfu

import (
	"strings"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/sfu/publish"
)

// Dynacast: a publisher is told which layers of its pictures anybody wants, and
// encodes no others. A wish for more is told at once, less only after a while, so
// that a layout that changes costs no key frames.

// nothing and everything are layers that a subscriber may want at most.
const (
	nothing    = -1
	everything = publish.MaxLayers - 1
)

// lowerAfter is how long less must be wanted before the publisher is told.
const lowerAfter = 5 * time.Second

// confirmAfter is how long after a track began its publisher is told that all of it is
// wanted, if it is and nothing else was told: livekit-client remembers over a full reconnect
// what it was told of the track before, and goes by that at its next negotiation. The track
// as it is now it knows by then.
const confirmAfter = 2 * time.Second

// wish is what one subscriber wants of a track.
type wish struct {
	layer  int  // at most this one, or nothing
	backup bool // it cannot decode the primary codec
}

// fullWish is that of a subscriber that has told nothing.
var fullWish = wish{layer: everything}

// demand is what all subscribers want of one codec of a track.
type demand struct {
	told  int       // what the publisher goes by
	want  int       // the highest layer anyone wants
	since time.Time // when that became less than told; zero while it is not
}

// next settles what the publisher is to go by now, and whether that is news.
func (d *demand) next(now time.Time) (news bool) {
	switch {
	case d.want >= d.told:
		news = d.want > d.told
		d.told, d.since = d.want, time.Time{}
	case d.since.IsZero():
		d.since = now
	case now.Sub(d.since) >= lowerAfter:
		news = true
		d.told, d.since = d.want, time.Time{}
	}
	return news
}

// newDemands is one for each codec: publishers send the first and nothing else
// until they are told.
func newDemands(info *livekit.TrackInfo) []demand {
	out := make([]demand, len(info.Codecs))
	for i := range out {
		out[i] = demand{told: nothing, want: nothing}
	}
	out[0].told = everything
	return out
}

// tally adds up the wishes.
func (t *track) tally() {
	for i := range t.demands {
		t.demands[i].want = nothing
	}
	last := len(t.demands) - 1
	regress := t.regresses()
	count := func(w wish) {
		if w.backup || regress {
			d := &t.demands[last]
			d.want = max(d.want, w.layer)
		}
		if last == 0 || !w.backup && !t.regressed {
			t.demands[0].want = max(t.demands[0].want, w.layer) // without a backup it is worth trying
		}
	}
	for _, w := range t.wishes {
		count(w)
	}
	for _, w := range t.tapped {
		count(w)
	}
	t.counted = true
}

// tellDemand tells publishers what changed, or is due.
func (r *room) tellDemand(now time.Time) {
	for _, t := range r.tracks {
		if t.media.Kind() != publish.Video || !t.owner.s.params.dynacast() {
			continue
		}
		if !t.counted {
			t.tally()
		}
		news, less := false, false
		for i := range t.demands {
			news = t.demands[i].next(now) || news
			less = less || !t.demands[i].since.IsZero()
		}
		if news || !t.demanded && !less && now.Sub(t.begun) >= confirmAfter {
			t.sendDemand()
		}
	}
}

// repeatDemand tells a publisher all of it again: it may have missed some.
func (r *room) repeatDemand(m *member) {
	for _, t := range r.tracks {
		if t.owner == m && t.demanded {
			t.sendDemand()
		}
	}
}

func (t *track) sendDemand() {
	t.demanded = true
	update := &livekit.SubscribedQualityUpdate{TrackSid: t.info.Sid}
	for i, d := range t.demands {
		c := t.info.Codecs[i]
		_, name, _ := strings.Cut(strings.ToLower(c.MimeType), "/")
		update.SubscribedCodecs = append(update.SubscribedCodecs, &livekit.SubscribedCodec{Codec: name, Qualities: qualities(d.told, len(c.Layers))})
	}
	update.SubscribedQualities = update.SubscribedCodecs[0].Qualities //nolint:staticcheck // clients still read it
	t.owner.s.send(&livekit.SignalResponse{Message: &livekit.SignalResponse_SubscribedQualityUpdate{SubscribedQualityUpdate: update}})
}

// qualities up to a layer. SDKs do not agree on what a single encoding is called:
// then all say the same.
func qualities(top, layers int) []*livekit.SubscribedQuality {
	if layers < 2 && top != nothing {
		top = everything
	}
	out := make([]*livekit.SubscribedQuality, 0, publish.MaxLayers)
	for q := range publish.MaxLayers {
		out = append(out, &livekit.SubscribedQuality{Quality: livekit.VideoQuality(q), Enabled: q <= top})
	}
	return out
}

// dynacast tells whether the client knows what to do with it. For others all
// layers are taken to be sent always.
func (p *JoinParams) dynacast() bool {
	switch sdk := p.Client.GetSdk(); sdk {
	case livekit.ClientInfo_UNKNOWN:
		return false
	case livekit.ClientInfo_RUST:
		return p.Client.GetProtocol() >= 10
	}
	return true
}

// subscribed notes whether m is sent t.
func (t *track) subscribed(m *member, is bool) {
	_, was := t.wishes[m]
	switch {
	case t.media.Kind() != publish.Video:
	case is && !was:
		t.wishes[m] = fullWish
		t.counted = false
	case was && !is:
		delete(t.wishes, m)
		t.counted = false
	}
}

// wishRequest tells what a subscriber wants of a track it is sent.
type wishRequest struct {
	s    *Session
	sid  string
	wish wish
}

func (q *wishRequest) serve(r *room) {
	m := r.member(q.s)
	if m == nil {
		return
	}
	for _, t := range r.tracks {
		if _, sent := t.wishes[m]; sent && t.info.Sid == q.sid && t.wishes[m] != q.wish {
			t.wishes[m] = q.wish
			t.counted = false
			r.regress(t)
			r.tellDemand(time.Now())
		}
	}
}
