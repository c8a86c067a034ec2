package relay

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"aparte/sfu/transport/tcp"
)

const (
	// allocateLimit is how long a connection may take to get an allocation; without
	// one it is of no use.
	allocateLimit = 30 * time.Second
	// stallLimit is how long a client may take to read one packet.
	stallLimit = 10 * time.Second
)

// Serve runs a connection of a client over TCP or TLS until it ends; it closes c.
func (s *Server) Serve(c net.Conn) {
	framed := &conn{
		Conn: c, in: bufio.NewReaderSize(c, 2*packetBytes), done: make(chan struct{}), stats: &s.exchange.stats,
		source: tcp.SourceOf(c), useless: true,
	}
	key := connKey(c.RemoteAddr(), c.LocalAddr())
	if !s.enter(key, framed) {
		_ = c.Close()
		return
	}
	defer s.leave(key, framed)
	tcp.LimitUnsent(c)
	if err := c.SetReadDeadline(time.Now().Add(allocateLimit)); err != nil {
		_ = framed.Close()
		return
	}
	if !s.listener.put(framed) {
		_ = framed.Close()
	}
	<-framed.done
}

func (s *Server) enter(key string, c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.conns[key] != nil {
		return false
	}
	if len(s.conns) >= maxConnections || s.useless[c.source] >= maxUselessFrom {
		s.exchange.stats.tooMany.Add(1)
		return false
	}
	s.conns[key] = c
	s.useless[c.source]++
	s.serving.Add(1)
	return true
}

func (s *Server) leave(key string, c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns[key] == c {
		delete(s.conns, key)
	}
	s.useful(c)
	s.serving.Done()
}

// useful counts a connection no more among those without an allocation. Requires mu.
func (s *Server) useful(c *conn) {
	if !c.useless {
		return
	}
	c.useless = false
	if s.useless[c.source]--; s.useless[c.source] == 0 {
		delete(s.useless, c.source)
	}
}

func connKey(client, server net.Addr) string { return client.String() + " " + server.String() }

func (s *Server) of(client, server net.Addr) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns[connKey(client, server)]
}

// onAllocationCreated lets a connection live as long as its allocation.
func (s *Server) onAllocationCreated(client, server net.Addr, _, _, _ string, _ net.Addr, _ int) {
	if c := s.of(client, server); c != nil {
		s.mu.Lock()
		s.useful(c)
		s.mu.Unlock()
		_ = c.SetReadDeadline(time.Time{}) // a closed one shows at the next read
	}
}

// onAllocationDeleted leaves time for the answer to who ended it.
func (s *Server) onAllocationDeleted(client, server net.Addr, _, _, _ string) {
	if c := s.of(client, server); c != nil {
		_ = c.SetReadDeadline(time.Now().Add(allocateLimit)) // a closed one shows at the next read
	}
}

// conn is a client's connection that is read message by message. pion/turn gathers
// what comes in pieces without a bound; from here nothing does.
type conn struct {
	net.Conn
	in    *bufio.Reader // owned by the reader
	stats *counters     // set at creation
	done  chan struct{} // closed by Close
	once  sync.Once

	source  netip.Addr // set at creation
	useless bool       // guarded by Server.mu: never had an allocation
}

var errMessage = errors.New("neither a STUN message nor channel data, or too long")

// Read returns one message: STUN, or channel data with its padding (RFC 8656,
// section 12.5).
func (c *conn) Read(b []byte) (int, error) {
	head, err := c.in.Peek(4)
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			c.stats.neverUsed.Add(1)
		}
		return 0, err
	}
	size := messageBytes(head)
	if size == 0 || size > min(len(b), packetBytes-1) { // pion/turn drops what fills its buffer
		return 0, errMessage
	}
	return io.ReadFull(c.in, b[:size])
}

// messageBytes tells the length of the message that begins with four bytes; 0: it is
// none.
func messageBytes(head []byte) int {
	n := int(binary.BigEndian.Uint16(head[2:]))
	switch {
	case head[0] < 0x40: // two zero bits: STUN (RFC 8489, section 5)
		return 20 + n
	case head[0] < 0x50: // a channel (RFC 8656, section 12)
		return 4 + (n+3)&^3
	}
	return 0
}

// Write waits for the client, for a while. Meanwhile its queue fills, and what is too
// much is dropped there.
func (c *conn) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(stallLimit)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(b)
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			c.stats.stalled.Add(1)
		}
		_ = c.Close() // half a message may be out
	}
	return n, err
}

// Close implements net.Conn.
func (c *conn) Close() error {
	var err error
	c.once.Do(func() {
		err = c.Conn.Close()
		close(c.done)
	})
	return err
}

// listener is what pion/turn accepts from.
type listener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *listener) put(c net.Conn) bool {
	select {
	case l.conns <- c:
		return true
	case <-l.done:
		return false
	}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }

// Close implements net.Listener.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}
