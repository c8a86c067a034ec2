package recording

import (
	"context"
	"sync"
	"time"
)

const (
	// sittingEnds is how long after somebody has read a film last they sit down anew.
	sittingEnds = 30 * time.Minute
	// maxSittings is how many are remembered; beyond it all are told again.
	maxSittings = 10_000
)

// Sittings tells whether somebody begins to watch a recording or still does: a player asks
// for a film in many pieces. They are kept in memory: after a restart everybody begins.
// Its methods may be called from any goroutine.
type Sittings struct {
	mu  sync.Mutex
	all map[sitting]*sat
}

type sitting struct{ person, recording string }

// sat is one sitting; turn holds one, and whoever has it owns what follows.
type sat struct {
	turn chan struct{}
	last time.Time // zero: it has not begun
}

// Watch has begin called if somebody begins to watch, and returns once that is done, also
// for whoever asks at the same time. A beginning that failed is none.
func (s *Sittings) Watch(ctx context.Context, person, recording string, now time.Time, begin func() error) error {
	one := s.of(sitting{person, recording})
	select {
	case one.turn <- struct{}{}:
		defer func() { <-one.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if one.last.IsZero() || now.Sub(one.last) >= sittingEnds {
		if err := begin(); err != nil {
			return err
		}
	}
	one.last = now
	return nil
}

func (s *Sittings) of(key sitting) *sat {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil || len(s.all) >= maxSittings {
		s.all = make(map[sitting]*sat)
	}
	one, is := s.all[key]
	if !is {
		one = &sat{turn: make(chan struct{}, 1)}
		s.all[key] = one
	}
	return one
}
