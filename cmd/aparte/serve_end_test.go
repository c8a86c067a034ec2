package main

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// A part that does not end keeps no process from ending.
func TestStoppingHasALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if !ended(func() { time.Sleep(stopLimit - time.Second) }, stopLimit) {
			t.Error("given up too early")
		}
		never := make(chan struct{})
		if ended(func() { <-never }, stopLimit) {
			t.Error("what never ends has ended")
		}
		if took := time.Since(began); took != 2*stopLimit-time.Second {
			t.Errorf("took %s", took)
		}
		close(never)
	})
}

// A deletion that a disk holds up holds up no drain, and the end only for a moment.
func TestAServerEndsThoughADeletionHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var told, drained time.Time
		all := []served{{Server: new(http.Server)}}
		closing := make(chan struct{})
		all[0].RegisterOnShutdown(func() { defer close(closing); drained = time.Now() })
		s := &server{log: slog.New(slog.DiscardHandler), sweep: func() { told = time.Now() }, swept: make(chan struct{}), servers: all}
		s.stop(t.Context())
		<-closing
		if !told.Equal(began) || !drained.Equal(began) {
			t.Errorf("the sweeps were told after %s, whoever is served after %s", told.Sub(began), drained.Sub(began))
		}
		if took := time.Since(began); took != sweptTime {
			t.Errorf("took %s", took)
		}
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.sweepsEnd(over); err == nil {
			t.Error("what hangs has ended")
		}
		close(s.swept)
		for range 20 {
			if err := s.sweepsEnd(over); err != nil {
				t.Errorf("what has ended: %v", err)
			}
		}
	})
}
