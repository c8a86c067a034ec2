package sfu

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/livekit/protocol/livekit"
)

// EventKind says what happened in a room.
type EventKind int

// What a Listener hears of.
const (
	RoomStarted EventKind = iota + 1
	RoomFinished
	Joined    // a participant is in; its media connection is yet to come
	Connected // and has come
	Left
	TrackPublished
	TrackUnpublished
)

// Event is something that happened in a room. Messages in it are shared and must
// not be changed.
type Event struct {
	Kind  EventKind
	At    time.Time
	Space SpaceKind
	Room  *livekit.Room // as it was then

	Participant  *livekit.ParticipantInfo // nil for those of rooms
	WasConnected bool                     // of Left: the media connection was up once
	Track        *livekit.TrackInfo       // nil but for those of tracks
	Ended        livekit.RoomEndReason    // of RoomFinished
}

// Listener is told what happens in rooms, one event after the other, from a
// goroutine of the SFU that holds nothing. It may call back.
type Listener interface{ Told(Event) }

// tell queues an event of the room for the Listener.
func (r *room) tell(kind EventKind, m *member, info *livekit.TrackInfo) {
	e := Event{Kind: kind, At: time.Now(), Space: r.key.Space, Room: r.info, Track: info}
	if m != nil {
		e.Participant, e.WasConnected = m.info, m.active
	}
	r.sfu.events.add(e)
}

// finish tells that the room ended and lets another of its name begin.
func (r *room) finish(why livekit.RoomEndReason) {
	r.ended = true
	r.endTaps()
	r.sfu.events.add(Event{Kind: RoomFinished, At: time.Now(), Space: r.key.Space, Room: r.info, Ended: why})
	r.sfu.forget(r)
}

// endReason says why a room ended whose participants were told the other.
func endReason(reason livekit.DisconnectReason) livekit.RoomEndReason {
	switch reason {
	case livekit.DisconnectReason_ROOM_DELETED:
		return livekit.RoomEndReason_ROOM_END_API_DELETE
	case livekit.DisconnectReason_SERVER_SHUTDOWN:
		return livekit.RoomEndReason_ROOM_END_SERVER_SHUTDOWN
	}
	return livekit.RoomEndReason_ROOM_END_UNKNOWN
}

// maxEvents is how far a Listener may lag before events are dropped and said
// to be: it is a bug there, and no room shall wait for it.
const maxEvents = 1 << 16

// eventQueue carries events from the rooms to the Listener.
type eventQueue struct {
	listener Listener
	log      *slog.Logger
	wake     chan struct{}
	done     chan struct{}
	dropped  atomic.Uint64

	// Guarded by mu.
	mu     sync.Mutex
	queue  []Event
	closed bool
}

func newEventQueue(l Listener, log *slog.Logger) *eventQueue {
	q := &eventQueue{listener: l, log: log, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go q.run()
	return q
}

func (q *eventQueue) add(e Event) {
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
		q.dropped.Add(1)
		q.log.Error("room event dropped: the listener does not keep up", "participant", e.Participant.GetIdentity())
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
			q.listener.Told(e)
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
