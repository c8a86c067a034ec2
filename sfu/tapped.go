package sfu

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/sfu/publish"
)

// What the room does for its taps: it tells them what there is, publishers what they
// take, and everybody that they are there.

// tapView is what a tap may take of its room now. It is replaced, never changed.
type tapView struct {
	tracks     []tapTrack
	speaking   []string // identities, the loudest first
	speakingAt time.Time
	ended      bool // and so has the room
}

// tapTrack is one encoding of a track.
type tapTrack struct {
	identity, sid, source string
	media                 *publish.Track
	most                  int // the highest simulcast layer to take
	muted                 bool
	mutedAt               time.Time // zero: it was so from the beginning
}

type tapRequest struct {
	tap   *Tap
	reply chan struct{}
}

func (q *tapRequest) serve(r *room) {
	r.taps = append(r.taps, q.tap)
	r.membersChanged()
	r.showTaps()
	r.sfu.sessions.Go(q.tap.run)
	r.log.Info("room tapped")
	close(q.reply)
}

type untapRequest struct{ tap *Tap }

func (q *untapRequest) serve(r *room) {
	if !slices.Contains(r.taps, q.tap) {
		return
	}
	r.taps = slices.DeleteFunc(r.taps, func(t *Tap) bool { return t == q.tap })
	r.membersChanged()
	r.showTaps()
	r.tellDemand(time.Now())
	r.log.Info("room not tapped any more")
}

// passRequest says whose tracks a tap takes.
type passRequest struct {
	tap      *Tap
	identity string
	allowed  bool
}

func (q *passRequest) serve(r *room) {
	if q.allowed {
		q.tap.wanted[q.identity] = true
	} else {
		delete(q.tap.wanted, q.identity)
	}
	r.showTaps()
	r.tellDemand(time.Now())
}

// showTaps makes the taps' views follow what is published, and the demand for pictures
// follow the taps.
func (r *room) showTaps() {
	for _, t := range r.tracks {
		if len(t.tapped) > 0 || len(r.taps) > 0 {
			t.tapped, t.counted = nil, false
		}
	}
	for _, tap := range r.taps {
		v := *tap.view.Load()
		v.tracks = nil
		for _, t := range r.tracks {
			if t.owner.hidden() || t.media.Sealed() {
				continue
			}
			one, w := tap.take(t)
			v.tracks = append(v.tracks, one)
			if tap.wanted[one.identity] && one.media.Kind() == publish.Video {
				t.tapped = append(t.tapped, w)
			}
		}
		tap.view.Store(&v)
	}
}

// take is what the tap takes of a track: the encoding that is sent to everybody, and of
// its layers one that is large enough.
func (t *Tap) take(of *track) (tapTrack, wish) {
	one := tapTrack{
		identity: of.owner.info.Identity, sid: of.info.Sid, source: strings.ToLower(of.info.Source.String()),
		media: of.media, muted: of.info.Muted, mutedAt: of.mutedAt,
	}
	encoding := 0
	if of.regressed && of.backup != nil {
		one.media, encoding = of.backup, 1
	}
	var layers []*livekit.VideoLayer
	if encoding < len(of.info.Codecs) {
		layers = of.info.Codecs[encoding].Layers
	}
	w := wish{layer: trackSettings{told: true, width: t.cfg.Width, height: t.cfg.Height}.layer(layers)}
	one.most = inStream(layers, w.layer)
	return one, w
}

// showSpeakers tells the taps who speaks, when that or who is loudest changed.
func (r *room) showSpeakers() {
	if len(r.taps) == 0 {
		return
	}
	var list []string
	for _, m := range slices.SortedFunc(maps.Values(r.members), func(a, b *member) int {
		return cmp.Or(cmp.Compare(r.speaking[b.info.Sid], r.speaking[a.info.Sid]), cmp.Compare(a.info.Identity, b.info.Identity))
	}) {
		if _, speaks := r.speaking[m.info.Sid]; speaks && !m.hidden() {
			list = append(list, m.info.Identity)
		}
	}
	for _, tap := range r.taps {
		if v := *tap.view.Load(); !slices.Equal(v.speaking, list) {
			v.speaking, v.speakingAt = list, time.Now()
			tap.view.Store(&v)
		}
	}
}

// endTaps is called when the room ends.
func (r *room) endTaps() {
	for _, tap := range r.taps {
		tap.view.Store(&tapView{ended: true})
	}
	r.taps = nil
}
