// Package netcheck holds the rules of network checks: before a call a client may look
// at its way to this server with the real media of the real SFU.
//
// A check is a room of its own, in a space that has nothing to do with meetings and
// integrations. One participant sends, the others receive it, each by the ways that
// it is told of; all of them belong to one client. Who waits in a lobby may make one:
// it leads nowhere. It ends by itself, soon.
package netcheck

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/signaling/throttle"
)

// Way is how media goes.
type Way string

// The ways. Any lets the client choose, as in a call.
const (
	Any   Way = "any"
	UDP   Way = "udp"
	TCP   Way = "tcp"
	Relay Way = "relay"
)

// Seat is one participant's place in a check.
type Seat struct {
	ID       string // what its token names
	Room     string
	Identity string
	Sends    bool // camera and microphone; the others receive
	Way      Way
}

// Check is a network check that runs.
type Check struct {
	Sender    Seat   // by Any
	Receivers []Seat // by each way
	Ends      time.Time
}

// Refusals of a check.
var (
	// ErrBusy: as many run as this server takes at a time.
	ErrBusy = errors.New("too many network checks run now")
	// ErrOver: there is no such check any more.
	ErrOver = errors.New("network check is over")
)

// TooOftenError refuses who checks all the time.
type TooOftenError struct{ Wait time.Duration }

func (e *TooOftenError) Error() string { return "network checks too often" }

// Limits of checks. Zero values are the defaults.
type Limits struct {
	AtOnce int           // checks that run at a time; 20: each is a short call of 2 Mbit/s
	Life   time.Duration // of a check; 45 s
	Rate   throttle.Rate // of one session; five, then one each 20 s
}

func (l Limits) withDefaults() Limits {
	if l.AtOnce == 0 {
		l.AtOnce = 20
	}
	if l.Life == 0 {
		l.Life = 45 * time.Second
	}
	if l.Rate == (throttle.Rate{}) {
		l.Rate = throttle.Rate{Every: 20 * time.Second, Burst: 5}
	}
	return l
}

// Rooms ends the rooms of checks.
type Rooms interface {
	// CloseRoom ends a room, and returns once nothing is forwarded in it any more.
	CloseRoom(room string, reason livekit.DisconnectReason) bool
}

// Config is what Checks stand on. All but Limits and Random are required.
type Config struct {
	Rooms  Rooms
	Ways   []Way // that this server has, without Any
	Now    func() time.Time
	Random io.Reader // nil: crypto/rand
	Limits Limits
}

// Checks are the network checks of this process. None is stored: a client begins
// another.
type Checks struct {
	cfg Config

	mu      sync.Mutex
	running map[string]*running // by session
	seats   map[string]Seat     // by id
	tries   *throttle.Throttle  // by session; has a lock of its own
}

type running struct {
	Check
	room   string
	source string
}

// New makes them.
func New(cfg Config) *Checks {
	cfg.Limits = cfg.Limits.withDefaults()
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	return &Checks{cfg: cfg, running: make(map[string]*running), seats: make(map[string]Seat), tries: throttle.New(cfg.Limits.Rate.Every, cfg.Limits.Rate.Burst, 10_000, cfg.Now)}
}

// Begin begins a check for a session, whose check of before ends. source is where it
// asks from: one has half of the places at most. Refusals are ErrBusy and
// *TooOftenError.
func (c *Checks) Begin(session, source string) (Check, error) {
	made, err := c.make()
	if err != nil {
		return Check{}, err
	}
	made.source = source
	closing, err := c.begin(session, made)
	c.close(closing)
	if err != nil {
		return Check{}, err
	}
	return made.Check, nil
}

func (c *Checks) begin(session string, made *running) (closing []string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Now()
	closing = c.overdue(now)
	if wait, ok := c.tries.Take(session); !ok {
		return closing, &TooOftenError{wait}
	}
	if c.running[session] != nil {
		closing = append(closing, c.drop(session))
	}
	if len(c.running) >= c.cfg.Limits.AtOnce || c.from(made.source) >= (c.cfg.Limits.AtOnce+1)/2 {
		return closing, ErrBusy
	}
	made.Ends = now.Add(c.cfg.Limits.Life)
	c.running[session] = made
	c.seats[made.Sender.ID] = made.Sender
	for _, seat := range made.Receivers {
		c.seats[seat.ID] = seat
	}
	return closing, nil
}

// from counts the checks of a source. Caller holds mu.
func (c *Checks) from(source string) (n int) {
	for _, r := range c.running {
		if r.source == source {
			n++
		}
	}
	return n
}

func (c *Checks) make() (*running, error) {
	room, err := c.newID()
	if err != nil {
		return nil, err
	}
	made := &running{room: room}
	ways := append([]Way{Any}, c.cfg.Ways...)
	for i := -1; i < len(ways); i++ {
		id, err := c.newID()
		if err != nil {
			return nil, err
		}
		if i < 0 {
			made.Sender = Seat{ID: id, Room: room, Identity: "sender", Sends: true, Way: Any}
			continue
		}
		made.Receivers = append(made.Receivers, Seat{ID: id, Room: room, Identity: string(ways[i]), Way: ways[i]})
	}
	return made, nil
}

func (c *Checks) newID() (string, error) {
	var raw [16]byte
	if _, err := io.ReadFull(c.cfg.Random, raw[:]); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(raw[:]), nil
}

// Seat looks a place up: ErrOver once its check has ended. ends is when it will.
func (c *Checks) Seat(_ context.Context, room, id string) (s Seat, ends time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.seats[id]
	if !ok || s.Room != room {
		return Seat{}, time.Time{}, ErrOver
	}
	for _, r := range c.running {
		if r.room == room && c.cfg.Now().Before(r.Ends) {
			return s, r.Ends, nil
		}
	}
	return Seat{}, time.Time{}, ErrOver
}

// End ends the check of a session, if one runs. After it returns nothing of it is
// forwarded.
func (c *Checks) End(session string) {
	c.mu.Lock()
	var closing []string
	if c.running[session] != nil {
		closing = []string{c.drop(session)}
	}
	c.mu.Unlock()
	c.close(closing)
}

// Sweep ends the checks whose time is over. To be called every few seconds.
func (c *Checks) Sweep() {
	c.mu.Lock()
	closing := c.overdue(c.cfg.Now())
	c.mu.Unlock()
	c.close(closing)
}

// overdue drops what is over. Caller holds mu.
func (c *Checks) overdue(now time.Time) (rooms []string) {
	for session, r := range c.running {
		if !now.Before(r.Ends) {
			rooms = append(rooms, c.drop(session))
		}
	}
	slices.Sort(rooms)
	return rooms
}

// drop forgets the check of a session. Caller holds mu.
func (c *Checks) drop(session string) (room string) {
	r := c.running[session]
	delete(c.running, session)
	delete(c.seats, r.Sender.ID)
	for _, seat := range r.Receivers {
		delete(c.seats, seat.ID)
	}
	return r.room
}

func (c *Checks) close(rooms []string) {
	for _, room := range rooms {
		c.cfg.Rooms.CloseRoom(room, livekit.DisconnectReason_ROOM_DELETED)
	}
}
