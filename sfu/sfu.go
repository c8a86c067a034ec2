package sfu

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/livekit/protocol/livekit"

	"aparte/sfu/transport"
)

// Refusals of a join or a resume.
var (
	ErrFull      = errors.New("room full")
	ErrClosing   = errors.New("server is shutting down")
	ErrNoSession = errors.New("no such session")
)

// protocolVersion is the signal protocol we speak; see SignalRequest.
const protocolVersion = 17

// Config is what an SFU stands on.
type Config struct {
	Engine   *transport.Engine // required; closed by its owner, after the SFU
	Log      *slog.Logger      // required
	Listener Listener          // may be nil
	Version  string            // semver shown to clients, which switch RPC off below 1.8.0; "" means 1.9.0
	NodeID   string
	Limits   Limits
	Timing   Timing
	// ICEServers tells a client which STUN and TURN servers to use; may be nil.
	ICEServers func(identity string) []*livekit.ICEServer
	// OnlyNamedRooms refuses joins of integration rooms that CreateRoom has not made;
	// else whoever comes first makes the room.
	OnlyNamedRooms bool
	// Dev allows SimulateScenario, with which clients test their reconnection.
	Dev bool
}

// RoomKey names a room. Rooms of different spaces never meet, even where names are
// equal.
type RoomKey struct {
	Space SpaceKind
	Name  string
}

// SFU holds the rooms.
type SFU struct {
	// Set at creation.
	cfg    Config
	events *eventQueue

	counters counters
	streams  atomic.Uint32 // of taps, so far

	sessions sync.WaitGroup // goroutines of sessions
	running  sync.WaitGroup // goroutines of rooms

	// Guarded by mu.
	mu      sync.Mutex
	rooms   map[RoomKey]*room
	count   map[SpaceKind]int // rooms by space: one must not crowd out the other
	closing bool
}

// New makes an SFU. Close it before its Engine.
func New(cfg Config) *SFU {
	if cfg.Version == "" {
		cfg.Version = "1.9.0"
	}
	if cfg.NodeID == "" {
		cfg.NodeID = newSID("ND_")
	}
	cfg.Limits.setDefaults()
	cfg.Timing.setDefaults()
	s := &SFU{cfg: cfg, rooms: map[RoomKey]*room{}, count: map[SpaceKind]int{}}
	s.events = newEventQueue(cfg.Listener, cfg.Log)
	return s
}

// Admits tells whether Join would take this participant now.
func (s *SFU) Admits(p JoinParams) error {
	s.mu.Lock()
	r, closing, rooms := s.rooms[p.Room], s.closing, s.count[p.Room.Space]
	s.mu.Unlock()
	if closing {
		return ErrClosing
	}
	if r == nil {
		if s.mustExist(p.Room) {
			return ErrNoRoom
		}
		if rooms >= s.cfg.Limits.Rooms {
			return ErrFull
		}
		return nil
	}
	req := &admitsRequest{params: p, reply: make(chan error, 1)}
	if !r.ask(req) {
		return nil // it just closed: the join makes a new one
	}
	return <-req.reply
}

// Join puts a participant into a room, which is created if need be. The first
// message on signal is the JoinResponse. Another session of the same identity
// is ended.
func (s *SFU) Join(p JoinParams, signal Signal) (*Session, error) {
	for {
		r, err := s.room(p, !s.mustExist(p.Room))
		if err != nil {
			return nil, err
		}
		req := &joinRequest{params: p, signal: signal, reply: make(chan joinReply, 1)}
		if !r.ask(req) {
			continue // closed in between
		}
		reply := <-req.reply
		return reply.session, reply.err
	}
}

// Resume gives a live session a new signal connection. The first message on
// signal is the ReconnectResponse. ErrNoSession means that the client must join
// anew.
func (s *SFU) Resume(p JoinParams, signal Signal) (*Session, error) {
	s.mu.Lock()
	r := s.rooms[p.Room]
	s.mu.Unlock()
	if r == nil {
		return nil, ErrNoSession
	}
	req := &resumeRequest{params: p, signal: signal, reply: make(chan joinReply, 1)}
	if !r.ask(req) {
		return nil, ErrNoSession
	}
	reply := <-req.reply
	return reply.session, reply.err
}

// mustExist tells whether a join does not make this room.
func (s *SFU) mustExist(key RoomKey) bool {
	return s.cfg.OnlyNamedRooms && key.Space == IntegrationSpace
}

// room finds the room of a join, or makes it.
func (s *SFU) room(p JoinParams, mayMake bool) (*room, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return nil, ErrClosing
	}
	if r := s.rooms[p.Room]; r != nil {
		return r, nil
	}
	if !mayMake {
		return nil, ErrNoRoom
	}
	if s.count[p.Room.Space] >= s.cfg.Limits.Rooms {
		return nil, ErrFull
	}
	r := newRoom(s, p)
	s.rooms[p.Room] = r
	s.count[p.Room.Space]++
	s.running.Go(r.run)
	return r, nil
}

// forget drops a room that is about to end; a join meanwhile makes a new one.
func (s *SFU) forget(r *room) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rooms[r.key] == r {
		delete(s.rooms, r.key)
		s.count[r.key.Space]--
	}
}

// Close asks every participant to join elsewhere or later, ends all sessions
// and waits for them until ctx ends.
func (s *SFU) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	rooms := make([]*room, 0, len(s.rooms))
	for _, r := range s.rooms {
		rooms = append(rooms, r)
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		for _, r := range rooms {
			r.close(livekit.DisconnectReason_SERVER_SHUTDOWN)
		}
		s.running.Wait()
		s.sessions.Wait()
		s.events.close()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// newSID makes an identifier with the prefix clients parse ("PA_", "TR_", "RM_").
func newSID(prefix string) string { return prefix + rand.Text()[:16] }
