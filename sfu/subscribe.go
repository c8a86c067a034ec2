package sfu

import (
	"github.com/livekit/protocol/livekit"

	"aparte/sfu/forward"
	"aparte/sfu/publish"
	"aparte/sfu/transport"
)

// subscription is a track we send, or are about to.
type subscription struct {
	w     wanted
	media *publish.Track // of w, the one that is sent
	down  *forward.DownTrack
	idle  int // seconds, see keepAlive
	nudge int // how often a silent track was made audible
	state streamState
	set   trackSettings
	told  wish // what the room knows of it

	counted lossWindow // when its quality was last measured
}

// trackSettings are the client's wishes about one track; they may come before
// the track does.
type trackSettings struct {
	told          bool // false: never told, everything is wanted
	disabled      bool
	quality       livekit.VideoQuality
	width, height uint32
	fps           uint32 // at most; 0 all there are
	priority      uint32 // 1 is the highest, 0 none
}

// Bounds on wishes about tracks that may never come.
const (
	maxSettings = 2000
	maxSID      = 64 // bytes; ours have 22
)

// subscribe makes what is sent follow what is wanted, and negotiates.
func (s *Session) subscribe() {
	if !s.pickDowns() {
		return
	}
	s.tellWishes()
	if s.single {
		s.require()
		return
	}
	if s.sub == nil { // publisher first: the connection is made on need
		peer, err := s.newPeer(true)
		if err != nil {
			s.fail("make subscriber connection", err)
			return
		}
		s.sub = peer
		s.pickDowns()
	}
	s.makeOffer()
}

// pickDowns starts and ends subscriptions; true when something changed.
func (s *Session) pickDowns() (changed bool) {
	peer := s.sub
	if s.single {
		peer = s.pub
	}
	s.mu.Lock()
	want := s.wanted
	ids := make(map[string]*publish.Track, len(want))
	for _, w := range want {
		ids[w.sid] = s.pick(w)
	}
	var closing []*subscription
	for sid, d := range s.downs {
		if ids[sid] != d.media {
			delete(s.downs, sid)
			closing = append(closing, d)
		}
	}
	s.mu.Unlock()
	for _, d := range closing {
		d.down.Close()
	}
	changed = len(closing) > 0
	for _, w := range want {
		if peer == nil {
			return changed || len(want) > 0
		}
		changed = s.addDown(peer, w) || changed
	}
	return changed
}

// addDown starts one subscription unless it exists or the session was cut.
func (s *Session) addDown(peer *transport.Peer, w wanted) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.downs[w.sid] != nil {
		return false
	}
	media := s.pick(w)
	d := &subscription{w: w, media: media, down: peer.NewDownTrack(media), told: fullWish}
	s.downs[w.sid] = d
	d.apply(s.settings[w.sid])
	return true
}

// outgoing lists what is wanted, in the room's order.
func (s *Session) outgoing() []transport.Outgoing {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]transport.Outgoing, 0, len(s.wanted))
	for _, w := range s.wanted {
		if d := s.downs[w.sid]; d != nil {
			out = append(out, transport.Outgoing{
				TrackID: w.sid, StreamID: w.stream, Kind: w.media.Kind(), Down: d.down,
				Stereo: w.info.Stereo, //nolint:staticcheck // as announced
			})
		}
	}
	return out
}

// trackSettings notes and applies wishes about tracks.
func (s *Session) trackSettings(m *livekit.UpdateTrackSettings) {
	set := trackSettings{told: true, disabled: m.GetDisabled(), quality: m.GetQuality(), width: m.GetWidth(), height: m.GetHeight(), fps: m.GetFps(), priority: m.GetPriority()}
	for _, sid := range m.GetTrackSids() {
		if len(sid) > maxSID {
			continue
		}
		was, known := s.settings[sid]
		if !known && len(s.settings) >= maxSettings {
			s.log.Debug("track settings ignored: too many")
			return
		}
		if was == set {
			continue // nothing to trouble the worker with
		}
		s.settings[sid] = set
		s.mu.Lock()
		d := s.downs[sid]
		s.mu.Unlock()
		if d != nil {
			d.apply(set)
		}
	}
	s.tellWishes()
}

// tellWishes tells the room what changed in what is wanted of the tracks that are
// sent, for the publishers to hear of it.
func (s *Session) tellWishes() {
	var list []*wishRequest
	s.mu.Lock()
	for sid, d := range s.downs {
		if d.w.media.Kind() != publish.Video {
			continue
		}
		w := d.wish()
		if w.backup = !s.decodes(d.w.info); w != d.told {
			d.told = w
			list = append(list, &wishRequest{s, sid, w})
		}
	}
	s.mu.Unlock()
	for _, req := range list {
		s.room.ask(req)
	}
}

// wish is what is wanted, as far as the path could carry it with one step more.
func (d *subscription) wish() wish {
	if d.set.off() {
		return wish{layer: nothing}
	}
	return wish{layer: min(d.set.layer(d.layers()), d.down.Reach())}
}

// off tells whether the client wants none of the track now.
func (t trackSettings) off() bool {
	return t.disabled || t.told && t.quality == livekit.VideoQuality_OFF
}

// apply sets pause and layer.
func (d *subscription) apply(set trackSettings) {
	d.set = set
	d.down.SetPaused(set.off())
	if d.w.media.Kind() == publish.Video {
		d.down.SetMaxLayer(inStream(d.layers(), set.layer(d.layers())))
		d.down.SetMaxFPS(int(min(set.fps, maxFPS)))
		d.down.SetRank(set.rank(d.w.info))
	} else {
		d.down.SetPinned(set.priority > 0)
	}
}

// layers are those of the codec that is sent.
func (d *subscription) layers() []*livekit.VideoLayer {
	i := 0
	if d.w.backup != nil && d.media == d.w.backup {
		i = 1
	}
	if i >= len(d.w.info.Codecs) {
		return nil
	}
	return d.w.info.Codecs[i].Layers
}

// layer chooses by size if the client told one (the smallest layer that covers
// it), else by quality.
func (t trackSettings) layer(layers []*livekit.VideoLayer) int {
	const high = publish.MaxLayers - 1
	if !t.told {
		return high
	}
	if len(layers) < 2 {
		return high // one layer: there is nothing to choose
	}
	if t.width == 0 || t.height == 0 {
		return min(int(t.quality), high)
	}
	best := -1
	for _, l := range layers {
		if l.Width >= t.width && l.Height >= t.height && (best < 0 || int(l.Quality) < best) {
			best = int(l.Quality)
		}
	}
	if best < 0 {
		return high
	}
	return min(best, high)
}

// maxFPS is more than any camera gives.
const maxFPS = 1000

// inStream is the layer of a quality among those that are sent. Simulcast's have a
// place each, whether sent or not; of SVC (no rids) two are MEDIUM and HIGH for
// livekit-client, and the spatial layers 0 and 1.
func inStream(layers []*livekit.VideoLayer, quality int) int {
	if len(layers) < 2 || layers[0].Rid != "" {
		return quality
	}
	at := 0
	for i, l := range layers {
		if int(l.Quality) <= quality {
			at = i
		}
	}
	return at
}

// keepAlive sends a little padding or silence for tracks of which nothing comes,
// because the publisher is muted or its source is idle: Go clients report a track
// only when its first packet comes. Called each second while connected.
func (s *Session) keepAlive() {
	const times = 5 // starting before the answer is applied
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.downs {
		if d.nudge >= times {
			continue
		}
		if d.idle++; d.media.Muted() || d.idle > idleAfter && d.down.Stats().Packets == 0 || d.nudge > 0 {
			d.nudge++
			d.down.KeepAlive()
		}
	}
}

// idleAfter is how many seconds a track may take to begin.
const idleAfter = 3
