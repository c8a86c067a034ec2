package recording

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestASittingBeginsOnce(t *testing.T) {
	var s Sittings
	begun := 0
	watch := func(person, recording string, at time.Duration) {
		t.Helper()
		if err := s.Watch(t.Context(), person, recording, noon.Add(at), func() error { begun++; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range []struct {
		person, recording string
		at                time.Duration
		begun             int
	}{
		{"anne", "R", 0, 1},
		{"anne", "R", time.Minute, 1},
		{"marc", "R", time.Minute, 2},
		{"anne", "S", time.Minute, 3},
		{"anne", "R", 30 * time.Minute, 3}, // 29 minutes after the last time
		{"anne", "R", 60 * time.Minute, 4},
	} {
		if watch(c.person, c.recording, c.at); begun != c.begun {
			t.Errorf("%d: begun %d times, want %d", i, begun, c.begun)
		}
	}
	// A beginning that could not be told is none.
	failed := errors.New("the disk is full")
	if err := s.Watch(t.Context(), "luc", "R", noon, func() error { return failed }); !errors.Is(err, failed) {
		t.Errorf("not told: %v", err)
	}
	if watch("luc", "R", 0); begun != 5 {
		t.Errorf("begun %d times", begun)
	}
}

// A player asks for several pieces at once: nobody gets one before it is told.
func TestNobodyWatchesBeforeItIsTold(t *testing.T) {
	var s Sittings
	var told atomic.Bool
	var begun atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			err := s.Watch(t.Context(), "anne", "R", noon, func() error { begun.Add(1); told.Store(true); return nil })
			if err != nil || !told.Load() {
				t.Errorf("gets it before it is told: %v", err)
			}
		})
	}
	all.Wait()
	if n := begun.Load(); n != 1 {
		t.Errorf("told %d times", n)
	}
}
