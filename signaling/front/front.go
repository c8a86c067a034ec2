// Package front lets one TCP port carry everything: it looks at the first bytes of
// a connection and hands it to whom they are for.
//
//	first bytes                                   to
//	0x16                                          TLS, then by ALPN: h2, http/1.1 → HTTP,
//	                                              stun.turn → Relay, none → what is below
//	STUN cookie at byte 4 (RFC 8489)              Relay: TURN over TCP
//	STUN cookie at byte 2+4 (framed, RFC 4571)    Media: ICE-TCP
//	anything else                                 HTTP
//
// Until it is known whose a connection is, it costs us and its sender nothing has
// been asked of: their number and their time are bounded.
//
// In file order: front.go (the connections' way), protocol.go (the first bytes),
// conn.go, certificate.go (files that may change).
package front

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"aparte/sfu/transport/tcp"
)

// Limits of connections that have not said yet what they want. An office behind one
// address that opens the page all at once stays far below.
const (
	maxUndecided     = 2048
	maxUndecidedFrom = 256 // from one IPv4 address, or one IPv6 network of 64 bits
	// decideLimit is for the first bytes, the TLS handshake included.
	decideLimit = 10 * time.Second
)

// Config says what a port carries. What is nil is not taken: such connections are
// closed and counted.
type Config struct {
	// Listeners of one port each; Front closes them. Required.
	Listeners []net.Listener
	// TLS ends TLS here. Without it such connections are closed.
	TLS *tls.Config
	// NoHTTP: this port is for media alone.
	NoHTTP bool
	// Media takes framed STUN, Relay takes TURN. Each owns the connection and
	// returns when it has ended.
	Media, Relay func(net.Conn)
	Log          *slog.Logger // required
}

// Stats counts connections.
type Stats struct {
	HTTP, Media, Relay uint64 // handed over
	TooMany            uint64 // closed: too many undecided ones
	TooSlow            uint64 // closed: the first bytes did not come in time, or never
	NoTLS              uint64 // closed: the handshake failed, or there is no certificate
	NotTaken           uint64 // closed: nobody here speaks that protocol
}

type counters struct {
	http, media, relay, tooMany, tooSlow, noTLS, notTaken atomic.Uint64
}

// Front tells protocols apart.
type Front struct {
	cfg   Config         // set at creation
	http  *queue         // set at creation
	plain *queue         // set at creation
	done  chan struct{}  // closed by Close
	once  sync.Once      // of Close
	wg    sync.WaitGroup // accepting, and what is undecided
	stats counters

	// Guarded by mu.
	mu        sync.Mutex
	undecided map[net.Conn]struct{}
	from      map[netip.Addr]int
	closed    bool
}

// New begins to accept. Serve HTTP and Plain, and Close it in the end.
func New(cfg Config) *Front {
	f := &Front{cfg: cfg, done: make(chan struct{}), undecided: map[net.Conn]struct{}{}, from: map[netip.Addr]int{}}
	if f.cfg.TLS != nil {
		f.cfg.TLS = cfg.TLS.Clone()
		f.cfg.TLS.NextProtos = []string{"h2", "http/1.1"}
		if cfg.NoHTTP {
			f.cfg.TLS.NextProtos = nil
		}
		if cfg.Relay != nil {
			f.cfg.TLS.NextProtos = append(f.cfg.TLS.NextProtos, "stun.turn") // RFC 7443
		}
	}
	addr := cfg.Listeners[0].Addr()
	f.http = &queue{addr, make(chan net.Conn), f.done}
	f.plain = &queue{addr, make(chan net.Conn), f.done}
	for _, l := range cfg.Listeners {
		f.wg.Go(func() { f.accept(l) })
	}
	return f
}

// HTTP is where http.Server finds its connections: over TLS where TLS ends here.
func (f *Front) HTTP() net.Listener { return f.http }

// Plain is HTTP without TLS at a port that has TLS: somebody who should be told.
func (f *Front) Plain() net.Listener { return f.plain }

// Stats returns the counters.
func (f *Front) Stats() Stats {
	s := &f.stats
	return Stats{
		HTTP: s.http.Load(), Media: s.media.Load(), Relay: s.relay.Load(), TooMany: s.tooMany.Load(),
		TooSlow: s.tooSlow.Load(), NoTLS: s.noTLS.Load(), NotTaken: s.notTaken.Load(),
	}
}

// Close ends the listeners and what is undecided, and waits for both. Connections
// that were handed over are their takers'.
func (f *Front) Close() error {
	var err error
	f.once.Do(func() {
		f.mu.Lock()
		f.closed = true
		for c := range f.undecided {
			_ = c.Close() // whoever looks at it notices
		}
		f.mu.Unlock()
		close(f.done)
		for _, l := range f.cfg.Listeners {
			err = errors.Join(err, l.Close())
		}
		f.wg.Wait()
	})
	return err
}

// acceptPause is for errors that pass, such as too many open files.
const acceptPause = 50 * time.Millisecond

func (f *Front) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			select {
			case <-f.done:
				return
			case <-time.After(acceptPause):
			}
			if errors.Is(err, net.ErrClosed) {
				return
			}
			f.cfg.Log.Warn("accept", "listener", l.Addr(), "error", err)
			continue
		}
		if !f.enter(c) {
			_ = c.Close()
			continue
		}
		go f.handle(c)
	}
}

// handle finds out whose a connection is and hands it over.
func (f *Front) handle(c net.Conn) {
	to, decided := f.decide(c)
	if decided == nil {
		_ = c.Close()
		f.leave(c)
		return
	}
	switch to {
	case toHTTP, toPlain:
		q := f.http
		if to == toPlain {
			q = f.plain
		}
		if q.put(decided) {
			f.stats.http.Add(1)
		} else {
			_ = decided.Close()
		}
		f.leave(c)
	case toMedia:
		f.stats.media.Add(1)
		f.leave(c)
		f.cfg.Media(decided)
	default:
		f.stats.relay.Add(1)
		f.leave(c)
		f.cfg.Relay(decided)
	}
}

type destination int

const (
	toHTTP destination = iota
	toPlain
	toMedia
	toRelay
)

// decide reads the first bytes. nil: nobody's; it was counted.
func (f *Front) decide(raw net.Conn) (destination, net.Conn) {
	if err := raw.SetDeadline(time.Now().Add(decideLimit)); err != nil {
		return 0, nil
	}
	c := &conn{Conn: raw}
	p, err := c.protocol()
	if err != nil {
		f.stats.tooSlow.Add(1)
		return 0, nil
	}
	var out net.Conn = c
	secure := false
	if p == tlsHandshake {
		if f.cfg.TLS == nil {
			f.stats.noTLS.Add(1)
			return 0, nil
		}
		if out, p, err = f.handshake(c); err != nil {
			f.stats.noTLS.Add(1)
			f.cfg.Log.Debug("TLS", "from", raw.RemoteAddr(), "error", err)
			return 0, nil
		}
		secure = true
	}
	var to destination
	switch {
	case p == turn && f.cfg.Relay != nil:
		to = toRelay
	case p == framedSTUN && f.cfg.Media != nil && !secure:
		to = toMedia
	case p == other && !f.cfg.NoHTTP && (secure || f.cfg.TLS == nil):
		to = toHTTP
	case p == other && !f.cfg.NoHTTP:
		to = toPlain
	default:
		f.stats.notTaken.Add(1)
		return 0, nil
	}
	if err := raw.SetDeadline(time.Time{}); err != nil {
		return 0, nil
	}
	return to, out
}

// handshake ends TLS and tells what is inside: what was negotiated, else what the
// first bytes say. http.Server wants to see *tls.Conn itself, or speaks no HTTP/2.
func (f *Front) handshake(c *conn) (net.Conn, protocol, error) {
	inner := tls.Server(c, f.cfg.TLS)
	ctx, cancel := context.WithTimeout(context.Background(), decideLimit)
	defer cancel()
	if err := inner.HandshakeContext(ctx); err != nil {
		return nil, 0, err
	}
	switch inner.ConnectionState().NegotiatedProtocol {
	case "":
		out := &conn{Conn: inner}
		p, err := out.protocol()
		return out, p, err
	case "stun.turn":
		return inner, turn, nil
	default:
		return inner, other, nil
	}
}

// enter counts an undecided connection; false: there are too many.
func (f *Front) enter(c net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	source := tcp.SourceOf(c)
	if len(f.undecided) >= maxUndecided || f.from[source] >= maxUndecidedFrom {
		f.stats.tooMany.Add(1)
		return false
	}
	f.undecided[c] = struct{}{}
	f.from[source]++
	f.wg.Add(1)
	return true
}

func (f *Front) leave(c net.Conn) {
	source := tcp.SourceOf(c)
	f.mu.Lock()
	delete(f.undecided, c)
	if f.from[source]--; f.from[source] <= 0 {
		delete(f.from, source)
	}
	f.mu.Unlock()
	f.wg.Done()
}

// queue is a listener whose connections somebody else accepted.
type queue struct {
	addr  net.Addr
	conns chan net.Conn
	done  <-chan struct{}
}

func (q *queue) put(c net.Conn) bool {
	select {
	case q.conns <- c:
		return true
	case <-q.done:
		return false
	}
}

// Accept implements net.Listener.
func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.done:
		return nil, net.ErrClosed
	}
}

// Addr implements net.Listener.
func (q *queue) Addr() net.Addr { return q.addr }

// Close does nothing: the port belongs to Front.
func (q *queue) Close() error { return nil }
