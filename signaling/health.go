package signaling

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"
)

// Checking costs a write, and anybody may ask.
const (
	healthFresh = time.Second     // how long an answer is good for
	healthWait  = 5 * time.Second // after which no answer is a bad one
)

var errNoAnswer = errors.New("no answer in time")

// health answers /healthz. Whoever asks while a check is under way waits for it.
type health struct {
	// Set at creation.
	check func(context.Context) error
	log   *slog.Logger

	turn chan struct{} // holds one: whose turn it is owns what follows
	at   time.Time     // of the last check
	err  error         // what it found
}

func newHealth(check func(context.Context) error, log *slog.Logger) *health {
	return &health{check: check, log: log, turn: make(chan struct{}, 1)}
}

func (h *health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	ctx, cancel := context.WithTimeout(r.Context(), healthWait)
	defer cancel()
	if err := h.ask(ctx); err != nil {
		http.Error(w, "unhealthy", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

func (h *health) ask(ctx context.Context) error {
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return errNoAnswer
	}
	if !h.at.IsZero() && time.Since(h.at) < healthFresh {
		return h.err
	}
	err := h.check(ctx)
	if errors.Is(ctx.Err(), context.Canceled) {
		return err // who asked left: that says nothing about us
	}
	switch {
	case err != nil && h.err == nil:
		h.log.Error("unhealthy", "err", err)
	case err == nil && h.err != nil:
		h.log.Info("healthy again")
	}
	h.at, h.err = time.Now(), err
	return err
}
