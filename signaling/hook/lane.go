package hook

import (
	"errors"
	"log/slog"
	"net/url"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Pauses between tries, and how long one event may hold up those behind it.
const (
	firstPause = 500 * time.Millisecond
	maxPause   = 15 * time.Second
	maxTrying  = time.Minute
)

// lane delivers events one after the other, so that those of a room stay in order.
type lane struct {
	// Set at creation.
	s     *Sender
	url   *url.URL
	log   *slog.Logger
	queue chan parcel
}

func (l *lane) run() {
	for p := range l.queue {
		l.deliver(p)
		l.s.waiting.Add(-int64(len(p.body)))
	}
}

// deliver tries until the receiver has it, refuses it, or was away for too long.
func (l *lane) deliver(p parcel) {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.Multiplier, pauses.MaxInterval = firstPause, 2, maxPause
	_, err := backoff.Retry(l.s.ctx, func() (struct{}, error) { return struct{}{}, l.post(p) },
		backoff.WithBackOff(pauses), backoff.WithMaxElapsedTime(maxTrying),
		backoff.WithNotify(func(error, time.Duration) { l.s.retries.Add(1) }))
	switch {
	case err == nil:
		l.s.delivered.Add(1)
		return
	case l.s.ctx.Err() != nil:
		l.s.abandoned.Add(1)
	case errors.Is(err, errRefused):
		l.s.refused.Add(1)
	default:
		l.s.gaveUp.Add(1)
	}
	l.log.Warn("webhook not delivered", "event", p.kind, "room", p.room, "error", err)
}
