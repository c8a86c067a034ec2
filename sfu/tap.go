package sfu

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"aparte/sfu/publish"
	"aparte/sfu/tap"
)

// TapConfig is how a room is tapped.
type TapConfig struct {
	Sink tap.Sink // required
	// Width and Height: of a picture that comes in several layers the smallest is taken
	// that covers this, or the next smaller one while that does not come. 0 is
	// 1280x720.
	Width, Height uint32
}

// Tap lets a [tap.Sink] have what some of a room publish. It counts as a subscriber of each
// of their pictures, so that publishers go on sending what it takes when nobody watches;
// it is none of the participants, and everybody is told that the room is recorded from
// its beginning to its end.
//
// Nobody is let through before Allow. Of those who are, all that is published is taken,
// also later and when they come back. Hidden participants never are, and no track that is
// encrypted end to end: nobody could play it.
//
//	room ── what there is to take ──▶ view ──┐
//	Allow, Forbid ── whose of it ────────────┼─▶ the tap's goroutine ──▶ Sink
//	publishers ── packets ──▶ rings ─────────┘
//
// The room leaves its view behind an atomic pointer and waits for nothing; publishers do
// not know of the tap at all. What lets through is the lock that is held while the sink
// is called: whoever has taken it knows that no call is under way.
type Tap struct {
	// Set at creation.
	room *room
	cfg  TapConfig
	quit chan struct{}
	done chan struct{} // closed when run ended
	view atomic.Pointer[tapView]

	control sync.Mutex // serialises Allow, Forbid and Close; never held by run
	lost    atomic.Uint64
	failed  atomic.Bool // the sink panicked

	// Guarded by mu, which is held while the sink is called.
	mu     sync.Mutex
	closed bool
	passes map[string]time.Time // who is let through, since when
	feeds  map[*publish.Track]*tapFeed
	muted  map[string]bool // as told, by track
	spoke  []string        // as told

	// Owned by the room.
	wanted map[string]bool // who is let through
}

// Tap taps a room. It ends with Close, or with the room.
func (sp Space) Tap(name string, cfg TapConfig) (*Tap, error) {
	r := sp.room(name)
	if r == nil {
		return nil, ErrNoRoom
	}
	setDefault(&cfg.Width, 1280)
	setDefault(&cfg.Height, 720)
	t := &Tap{
		room: r, cfg: cfg,
		quit: make(chan struct{}), done: make(chan struct{}),
		passes: map[string]time.Time{}, feeds: map[*publish.Track]*tapFeed{},
		muted: map[string]bool{}, wanted: map[string]bool{},
	}
	t.view.Store(&tapView{})
	req := &tapRequest{tap: t, reply: make(chan struct{})}
	if !r.ask(req) {
		return nil, ErrNoRoom
	}
	<-req.reply
	return t, nil
}

// Allow lets through what a participant sends from now on, present or not.
func (t *Tap) Allow(identity string) {
	t.control.Lock()
	defer t.control.Unlock()
	t.room.ask(&passRequest{tap: t, identity: identity, allowed: true})
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, is := t.passes[identity]; !is {
		t.passes[identity] = time.Now()
	}
}

// Forbid ends that. When it returns the sink is told nothing more of the participant,
// and its streams have ended. It waits for a call of the sink that is under way.
func (t *Tap) Forbid(identity string) {
	t.control.Lock()
	defer t.control.Unlock()
	t.forbid(identity)
	t.room.ask(&passRequest{tap: t, identity: identity})
}

func (t *Tap) forbid(identity string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.survive()
	delete(t.passes, identity)
	if t.closed {
		return
	}
	for media, f := range t.feeds {
		if f.track.identity == identity {
			t.end(media, f)
		}
	}
	t.tellSpeaking(t.view.Load())
}

// Refresh asks for key frames of all pictures that are let through, as a sink needs them
// that has left something out.
func (t *Tap) Refresh() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for media, f := range t.feeds {
		media.RequestKeyframe(max(f.at, 0))
	}
}

// Close hands over what has arrived until now and ends all streams. When it returns the
// sink is told nothing more, and the room is not said to be recorded any more.
func (t *Tap) Close() {
	t.control.Lock()
	defer t.control.Unlock()
	t.finish()
	t.room.ask(&untapRequest{tap: t})
	select {
	case <-t.quit:
	default:
		close(t.quit)
	}
	<-t.done
}

// Done is closed when nothing more comes: after Close, when the room has ended, or when
// the sink panicked.
func (t *Tap) Done() <-chan struct{} { return t.done }

// ErrSinkFailed says that a tap's sink panicked.
var ErrSinkFailed = errors.New("the sink of the tap failed")

// Err is, once Done is closed, why without anybody having ended it: ErrSinkFailed, or nil
// after Close and when the room has ended.
func (t *Tap) Err() error {
	if t.failed.Load() {
		return ErrSinkFailed
	}
	return nil
}

// Lost is how many packets were gone from their ring before they could be read: because the
// sink was too slow, or because their sender numbers them so that they push each other out.
func (t *Tap) Lost() uint64 { return t.lost.Load() }
