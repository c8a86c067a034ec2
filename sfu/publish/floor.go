package publish

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Floor is who is heard in a room: of all its microphones the few that spoke last.
// Everyone hears the same ones, so it is decided here, once, and forwarding reads
// one bit per track (Track.Resting).
//
//	off ──two loud packets, and a seat is free or its holder silent──▶ on
//	    ──200 ms clearly louder than the quietest who speaks─────────▶ on
//	on  ──somebody else took the seat────────────────────────────────▶ off
//
// Nobody loses a seat by being silent, so that up to so many microphones nothing is
// ever left out, and the pauses of a conversation change nothing. What was said
// while a voice was being recognised lies in the ring and is sent first.
//
// Levels are those of RFC 6464; a track that sends none is always heard.
type Floor struct {
	seats int       // set at creation
	start time.Time // set at creation

	mu      sync.Mutex // guards all below; held for a walk over the seats, by voices without one
	members []*Track   // that sent a level
	holders []*Track   // with a seat
}

// Figures of the floor. A packet has 20 ms.
const (
	// voiceLevel in -dBov: quiet speech; lower than speechLevel, because a seat
	// taken for nothing does no harm.
	voiceLevel = 45
	// claimAfter packets: one is a click.
	claimAfter = 2
	// quietFor makes a holder's seat free for the taking: longer than a breath.
	quietFor = 600 * time.Millisecond
	// When all of them speak: so much louder in dB, for so many packets, and not
	// sooner than that after the last took the seat.
	louderBy    = 6
	louderFor   = 10
	seatedLeast = time.Second
)

// NewFloor makes a floor of so many seats.
func NewFloor(seats int) *Floor { return &Floor{seats: seats, start: time.Now()} }

// seat is a track's part of it.
type seat struct {
	off     atomic.Bool
	spokeAt atomic.Int64 // ns after Floor.start; 0 never
	loud    atomic.Int32 // 127 less the -dBov of its speech, smoothed; 0 never

	// Guarded by Receiver.mu.
	entered bool
	run     int // voiced packets in a row

	satAt time.Duration // guarded by Floor.mu
}

// Resting tells whether the track is left out for the moment.
func (t *Track) Resting() bool { return t.seat.off.Load() }

// hear takes one packet's level, in -dBov, in the publisher's goroutine.
func (f *Floor) hear(t *Track, level uint8, now time.Time) {
	s := &t.seat
	at := now.Sub(f.start)
	if !s.entered {
		s.entered = true
		f.enter(t, at)
	}
	if level > voiceLevel {
		s.run = 0
		return
	}
	s.run++
	loud := 127 - int32(level)
	if old := s.loud.Load(); old != 0 {
		loud = (3*old + loud) / 4
	}
	s.loud.Store(loud)
	s.spokeAt.Store(int64(max(at, 1)))
	if s.off.Load() && s.run >= claimAfter {
		f.claim(t, s.run, at)
	}
}

// enter gives a new microphone a free seat.
func (f *Floor) enter(t *Track, at time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t.closed.Load() {
		return // leave was here already
	}
	f.members = append(f.members, t)
	if len(f.holders) < f.seats {
		f.sit(t, at)
		return
	}
	t.seat.off.Store(true)
}

func (f *Floor) sit(t *Track, at time.Duration) {
	f.holders = append(f.holders, t)
	t.seat.satAt = at
	t.seat.off.Store(false)
}

// claim gives t somebody's seat, if there is reason to.
func (f *Floor) claim(t *Track, run int, at time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !t.seat.off.Load() || t.closed.Load() {
		return
	}
	if len(f.holders) < f.seats {
		f.sit(t, at)
		return
	}
	longest := slices.MinFunc(f.holders, func(a, b *Track) int { return int(a.seat.spokeAt.Load() - b.seat.spokeAt.Load()) })
	if at-time.Duration(longest.seat.spokeAt.Load()) >= quietFor {
		f.replace(longest, t, at)
		return
	}
	quietest := slices.MinFunc(f.holders, func(a, b *Track) int { return int(a.seat.loud.Load() - b.seat.loud.Load()) })
	if run >= louderFor && at-quietest.seat.satAt >= seatedLeast && t.seat.loud.Load() >= quietest.seat.loud.Load()+louderBy {
		f.replace(quietest, t, at)
	}
}

func (f *Floor) replace(old, t *Track, at time.Duration) {
	f.holders = slices.DeleteFunc(f.holders, func(x *Track) bool { return x == old })
	old.seat.off.Store(true)
	f.sit(t, at)
}

// leave gives the seat of a track that ended to the one that spoke last.
func (f *Floor) leave(t *Track) {
	f.mu.Lock()
	defer f.mu.Unlock()
	gone := func(x *Track) bool { return x == t }
	f.members = slices.DeleteFunc(f.members, gone)
	f.holders = slices.DeleteFunc(f.holders, gone)
	var next *Track
	for _, m := range f.members {
		if m.seat.off.Load() && (next == nil || m.seat.spokeAt.Load() > next.seat.spokeAt.Load()) {
			next = m
		}
	}
	if next != nil && len(f.holders) < f.seats {
		f.sit(next, next.seat.satAt)
	}
}
