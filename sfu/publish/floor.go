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
// Levels are those of RFC 6464; a track that sends none is always heard. They are
// what the publisher says they are: so whoever publishes several microphones has one
// seat that counts, and the others only while nobody else wants them.
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
	own := f.seatsOf(t)
	if own == 0 {
		if second := f.quietest(func(x *Track) bool { return f.seatsOf(x) > 1 }); second != nil {
			f.replace(second, t, at)
			return
		}
	}
	mayTake := func(x *Track) bool { return own == 0 || x.owner == t.owner }
	var longest *Track
	for _, x := range f.holders {
		if mayTake(x) && (longest == nil || x.seat.spokeAt.Load() < longest.seat.spokeAt.Load()) {
			longest = x
		}
	}
	if at-time.Duration(longest.seat.spokeAt.Load()) >= quietFor {
		f.replace(longest, t, at)
		return
	}
	quietest := f.quietest(mayTake)
	if run >= louderFor && at-quietest.seat.satAt >= seatedLeast && t.seat.loud.Load() >= quietest.seat.loud.Load()+louderBy {
		f.replace(quietest, t, at)
	}
}

// quietest is the holder that speaks most quietly, of those that are asked about.
func (f *Floor) quietest(among func(*Track) bool) (q *Track) {
	for _, x := range f.holders {
		if among(x) && (q == nil || x.seat.loud.Load() < q.seat.loud.Load()) {
			q = x
		}
	}
	return q
}

// seatsOf counts those of t's owner; 0 when t has none that is known.
func (f *Floor) seatsOf(t *Track) (n int) {
	for _, x := range f.holders {
		if t.owner != "" && x.owner == t.owner {
			n++
		}
	}
	return n
}

func (f *Floor) replace(old, t *Track, at time.Duration) {
	f.holders = slices.DeleteFunc(f.holders, func(x *Track) bool { return x == old })
	old.seat.off.Store(true)
	f.sit(t, at)
}

// leave gives the seat of a track that ended to the one that spoke last, of those
// whose owner has none.
func (f *Floor) leave(t *Track) {
	f.mu.Lock()
	defer f.mu.Unlock()
	gone := func(x *Track) bool { return x == t }
	f.members = slices.DeleteFunc(f.members, gone)
	f.holders = slices.DeleteFunc(f.holders, gone)
	var next *Track
	for _, m := range f.members {
		if !m.seat.off.Load() {
			continue
		}
		if next == nil {
			next = m
			continue
		}
		first, has := f.seatsOf(m) == 0, f.seatsOf(next) == 0
		if first && !has || first == has && m.seat.spokeAt.Load() > next.seat.spokeAt.Load() {
			next = m
		}
	}
	if next != nil && len(f.holders) < f.seats {
		f.sit(next, next.seat.satAt)
	}
}
