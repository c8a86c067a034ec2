// Package hook tells other programs what happens in integration rooms, by
// LiveKit's webhooks: an HTTP POST of a WebhookEvent as JSON, with a token that
// proves who sent it and that nobody changed it.
//
// hook.go takes events and never waits; event.go words them; lane.go delivers
// them, those of one room in order; post.go is one request.
package hook

import (
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"aparte/sfu"
)

// Bounds on what waits for receivers that are slow or away.
const (
	lanes      = 8        // of one URL; the events of a room take one lane
	laneEvents = 512      // waiting in one lane
	maxWaiting = 16 << 20 // bytes of all of them
)

// Config is what a Sender stands on.
type Config struct {
	URLs        []string // each gets every event
	Key, Secret string   // the API key that signs
	Log         *slog.Logger
	Now         func() time.Time
	// Transport carries the requests; nil: HTTP as hardened in post.go.
	Transport http.RoundTripper
}

// Stats count events, once per URL.
type Stats struct {
	Delivered, Retries uint64
	Full               uint64 // dropped: too many wait
	Refused            uint64 // dropped: the receiver does not want it
	GaveUp             uint64 // dropped: the receiver was away for too long
	Stopped            uint64 // dropped: the server stops
}

// Sender is a sfu.Listener.
type Sender struct {
	// Set at creation.
	cfg    Config
	client *http.Client
	seed   maphash.Seed
	lanes  []*lane // lanes for each URL
	ctx    context.Context
	stop   context.CancelFunc

	waiting                                              atomic.Int64 // bytes
	delivered, retries, full, refused, gaveUp, abandoned atomic.Uint64

	running sync.WaitGroup

	mu     sync.RWMutex
	closed bool // guarded by mu
}

// New checks the URLs and starts to deliver.
func New(cfg Config) (*Sender, error) {
	s := &Sender{cfg: cfg, client: newClient(cfg.Transport), seed: maphash.MakeSeed()}
	for _, text := range cfg.URLs {
		target, err := url.Parse(text)
		if err != nil || target.Scheme != "http" && target.Scheme != "https" || target.Host == "" {
			return nil, fmt.Errorf("%q is not of the form https://host/path", text)
		}
		for range lanes {
			s.lanes = append(s.lanes, &lane{
				s: s, url: target, queue: make(chan parcel, laneEvents),
				log: cfg.Log.With("webhook", target.Host), // the rest may be secret
			})
		}
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	for _, l := range s.lanes {
		s.running.Go(l.run)
	}
	return s, nil
}

// Told queues an event of an integration room; it never waits.
func (s *Sender) Told(e sfu.Event) {
	if e.Space != sfu.IntegrationSpace {
		return // what happens elsewhere is told to nobody
	}
	p, ok := word(e)
	if !ok {
		return
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return
	}
	for first := 0; first < len(s.lanes); first += lanes {
		l := s.lanes[first+int(maphash.String(s.seed, e.Room.GetName())%lanes)]
		size := int64(len(p.body))
		if s.waiting.Add(size) <= maxWaiting {
			select {
			case l.queue <- p:
				continue
			default:
			}
		}
		s.waiting.Add(-size)
		if s.full.Add(1)%1000 == 1 {
			l.log.Warn("webhook dropped: too many wait", "event", p.kind, "room", e.Room.GetName())
		}
	}
}

// Close delivers what waits, until ctx ends.
func (s *Sender) Close(ctx context.Context) {
	s.mu.Lock()
	was := s.closed
	s.closed = true
	s.mu.Unlock()
	if was {
		return
	}
	for _, l := range s.lanes {
		close(l.queue)
	}
	stop := context.AfterFunc(ctx, s.stop)
	s.running.Wait()
	stop()
	s.stop()
	s.client.CloseIdleConnections()
}

// Stats counts so far.
func (s *Sender) Stats() Stats {
	return Stats{
		Delivered: s.delivered.Load(), Retries: s.retries.Load(), Full: s.full.Load(),
		Refused: s.refused.Load(), GaveUp: s.gaveUp.Load(), Stopped: s.abandoned.Load(),
	}
}
