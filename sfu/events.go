package sfu

import (
	"log/slog"
	"sync"

	"github.com/livekit/protocol/livekit"
)

// maxEvents is how far a Listener may lag before events are dropped and said
// to be: it is a bug there, and no room shall wait for it.
const maxEvents = 1 << 16

type event struct {
	joined bool
	member Member
	reason livekit.DisconnectReason
}

// eventQueue carries events from the rooms to the Listener.
type eventQueue struct {
	listener Listener
	log      *slog.Logger
	wake     chan struct{}
	done     chan struct{}

	// Guarded by mu.
	mu     sync.Mutex
	queue  []event
	closed bool
}

func newEventQueue(l Listener, log *slog.Logger) *eventQueue {
	q := &eventQueue{listener: l, log: log, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go q.run()
	return q
}

func (q *eventQueue) add(e event) {
	if q.listener == nil {
		return
	}
	q.mu.Lock()
	full := len(q.queue) >= maxEvents
	if !full {
		q.queue = append(q.queue, e)
	}
	q.mu.Unlock()
	if full {
		q.log.Error("room event dropped: the listener does not keep up", "participant", e.member.Identity)
		return
	}
	q.signal()
}

func (q *eventQueue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *eventQueue) run() {
	defer close(q.done)
	for range q.wake {
		q.mu.Lock()
		batch, closed := q.queue, q.closed
		q.queue = nil
		q.mu.Unlock()
		for _, e := range batch {
			if e.joined {
				q.listener.Joined(e.member)
			} else {
				q.listener.Left(e.member, e.reason)
			}
		}
		if closed {
			return
		}
	}
}

// close delivers what is queued and waits for it.
func (q *eventQueue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.signal()
	<-q.done
}
