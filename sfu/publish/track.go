// Package publish takes what a participant sends and makes it ready to be
// forwarded.
//
// A [Receiver] is everything that one peer transport receives. It is fed in the
// goroutine that decrypts, finds the section and layer of each packet, turns
// retransmissions back into what they repeat, and puts packets into the rings of
// a [Track]. What the receiving side owes the sender (NACK, PLI, receiver
// reports, transport-wide feedback) is sent from [Receiver.Tick], which a worker
// calls. A [Sink] is told when there is something to read.
//
// In the order of a packet: receiver.go (the tap), source.go (one SSRC),
// section.go (whose packet it is), ingest.go (RTP into the ring), track.go and
// layer.go (what is published), then the way back: inbound.go, nack.go,
// feedback.go, rtcp.go.
package publish

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"aparte/sfu/ring"
)

// MaxLayers is how many simulcast layers a track may have: LOW, MEDIUM, HIGH.
const MaxLayers = 3

// Sink is told when packets of a track can be read from its rings. A worker is
// one; a recorder is not, it looks by itself.
type Sink interface {
	// Packets is called in the publisher's receive goroutine and must not block.
	// last is set when nothing is gained by waiting for more: the end of a video
	// frame, or audio.
	Packets(layer int, last bool)
	// Sync returns when the sink has finished with everything it read before, and
	// from then on finds the track closed if it was closed before the call.
	Sync()
}

// TrackConfig names a track.
type TrackConfig struct {
	ID   string // TR_...
	Kind Kind
	// Sealed: its payloads are encrypted end to end, and nothing of ours would be
	// understood among them.
	Sealed bool
	// Floor is the one a microphone shares with others; nil: it is always heard.
	Floor *Floor
	// Owner is whose microphone it is: on the floor several of one owner give way to
	// those of others. "" is nobody's in particular.
	Owner string
}

// Track is one published track: up to three layers, each with its ring. Hand it
// to a Receiver in a Section, and to subscribers.
type Track struct {
	id     string // set at creation
	kind   Kind   // set at creation
	sealed bool   // set at creation

	floor *Floor // set at creation; may be nil
	owner string // set at creation
	seat  seat   // on the floor

	layers   [MaxLayers]atomic.Pointer[Layer]
	codecs   atomic.Pointer[[]Codec]
	receiver atomic.Pointer[Receiver] // who can ask the publisher for key frames
	sinks    atomic.Pointer[[]Sink]   // immutable slice
	muted    atomic.Bool
	silenced atomic.Bool // see Silence
	speaking atomic.Bool // see SetSpeaking
	closed   atomic.Bool
	level    atomic.Uint64 // float32 bits of the level << 32 | ms of levelTime
	start    time.Time     // set at creation

	mu sync.Mutex // serialises changes of sinks and layers
}

// NewTrack returns a track without layers; they appear with their first packets.
func NewTrack(cfg TrackConfig) *Track {
	t := &Track{id: cfg.ID, kind: cfg.Kind, sealed: cfg.Sealed, floor: cfg.Floor, owner: cfg.Owner, start: time.Now()}
	t.sinks.Store(&[]Sink{})
	t.codecs.Store(&[]Codec{})
	return t
}

// ID is the track's name.
func (t *Track) ID() string { return t.id }

// Kind is audio or video.
func (t *Track) Kind() Kind { return t.kind }

// Sealed tells whether its payloads are encrypted end to end.
func (t *Track) Sealed() bool { return t.sealed }

// Codecs are the payload types its packets may have. Do not change them; the
// pointer changes when they do.
func (t *Track) Codecs() *[]Codec { return t.codecs.Load() }

// Layer returns layer i, or nil while nothing of it has come.
func (t *Track) Layer(i int) *Layer {
	if i < 0 || i >= MaxLayers {
		return nil
	}
	return t.layers[i].Load()
}

// SetMuted notes what the publisher said. Packets flow all the same: a muted
// publisher sends none, or silence.
func (t *Track) SetMuted(muted bool) {
	t.muted.Store(muted)
	if !muted && t.silenced.Swap(false) {
		t.RequestKeyframe(-1)
	}
}

// Silence mutes the track for somebody else than the publisher, who may not obey:
// what comes until SetMuted(false) goes no further.
func (t *Track) Silence() {
	t.muted.Store(true)
	t.silenced.Store(true)
}

// Silenced tells whether Silence holds.
func (t *Track) Silenced() bool { return t.silenced.Load() }

// Muted is what SetMuted noted.
func (t *Track) Muted() bool { return t.muted.Load() }

// SetSpeaking notes that the publisher speaks: on narrow paths its picture comes
// before others'.
func (t *Track) SetSpeaking(speaking bool) { t.speaking.Store(speaking) }

// Speaking is what SetSpeaking noted.
func (t *Track) Speaking() bool { return t.speaking.Load() }

// Closed tells whether Close was called.
func (t *Track) Closed() bool { return t.closed.Load() }

// Attach adds a sink.
func (t *Track) Attach(s Sink) {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := append(slices.Clone(*t.sinks.Load()), s)
	t.sinks.Store(&next)
}

// Detach removes a sink. A call of its Packets may still be under way.
func (t *Track) Detach(s Sink) {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := slices.DeleteFunc(slices.Clone(*t.sinks.Load()), func(x Sink) bool { return x == s })
	t.sinks.Store(&next)
}

// Close ends the track: when it returns, no sink will forward anything more of
// it. It waits for the sinks' workers and must not be called from one.
func (t *Track) Close() {
	if !t.closed.Swap(true) && t.floor != nil {
		t.floor.leave(t)
	}
	for _, s := range *t.sinks.Load() {
		s.Sync()
	}
	// Whoever still knows the track must not hold its publisher by it: that one knew
	// others, who knew others before them.
	t.receiver.Store(nil)
}

// RequestKeyframe asks the publisher for a key frame of the layer, or of all live
// layers when layer is -1. Requests that come too fast are deferred, not dropped.
func (t *Track) RequestKeyframe(layer int) {
	if t.kind != Video || t.closed.Load() {
		return
	}
	asked := false
	for i := range t.layers {
		if l := t.layers[i].Load(); l != nil && (layer == i || layer == -1) {
			l.keyframeWanted.Store(true)
			asked = true
		}
	}
	if r := t.receiver.Load(); r != nil && asked {
		r.wakeTicker()
	}
}

// LayerStats describes one layer.
type LayerStats struct {
	Layer         int
	SSRC          uint32
	Live          bool // packets came within the last 1.5 s
	BitrateBps    uint64
	Width, Height int // of the last key frame, where the codec tells; else 0
	Packets       uint64
	Bytes         uint64
	Lost          uint64 // never came, not even repaired
}

// Layers describes the layers of which packets ever came, lowest first. Those of SVC
// beyond the first have no counters of their own.
func (t *Track) Layers() []LayerStats {
	var all []LayerStats
	for i := range t.layers {
		if l := t.layers[i].Load(); l != nil {
			all = append(all, l.stats(i)...)
		}
	}
	return all
}

// levelLasts is how long a measured level counts: two windows, so that a lost
// packet does not make a speaker flicker and DTX ends in silence.
const levelLasts = 2 * levelWindow

// Level is how loud the track is, 0 (silent) to 1, from its ssrc-audio-level
// extension over the last window of 400 ms, and whether that is speech.
func (t *Track) Level() (level float64, speaking bool) {
	v := t.level.Load()
	at := time.Duration(uint32(v)) * time.Millisecond
	if v == 0 || time.Since(t.start)-at > levelLasts {
		return 0, false
	}
	f := math.Float32frombits(uint32(v >> 32))
	return float64(f), f > 0
}

func (t *Track) setLevel(level float32, now time.Time) {
	ms := uint64(now.Sub(t.start)/time.Millisecond) & 0xffffffff
	t.level.Store(uint64(math.Float32bits(level))<<32 | ms)
}

// layer returns layer i, made on first use. Called by the receiver.
func (t *Track) layer(i int) *Layer {
	if l := t.layers[i].Load(); l != nil {
		return l
	}
	cfg := ring.VideoConfig()
	if t.kind == Audio {
		cfg = ring.AudioConfig()
	}
	l := &Layer{ring: ring.New(cfg), start: t.start}
	t.layers[i].Store(l)
	return l
}

func (t *Track) notify(layer int, last bool) {
	for _, s := range *t.sinks.Load() {
		s.Packets(layer, last)
	}
}
