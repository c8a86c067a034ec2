package tcp

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// receiveQueue packets wait for ICE to take them; then the connection is read no
// further, which holds the sender.
const receiveQueue = 8

// conn is all connections of one session to one of our addresses, as packets: a
// net.PacketConn with ice.AddrPortReaderWriter. A connection that a client opens
// anew is one more sender on it.
type conn struct {
	key   key           // set at creation
	mux   *Mux          // set at creation
	local *net.TCPAddr  // set at creation
	recv  chan packet   // set at creation, never closed
	done  chan struct{} // closed by Close
	free  chan []byte   // buffers of packets that were taken
	once  sync.Once

	mu      sync.RWMutex // guards streams
	streams map[netip.AddrPort]*stream
}

type packet struct {
	from netip.AddrPort
	data []byte
}

func newConn(m *Mux, k key) *conn {
	return &conn{
		key: k, mux: m, local: net.TCPAddrFromAddrPort(k.local),
		recv: make(chan packet, receiveQueue), free: make(chan []byte, receiveQueue), done: make(chan struct{}),
		streams: map[netip.AddrPort]*stream{},
	}
}

// add takes a stream; false: closed, or too many, or somebody is already there.
func (c *conn) add(s *stream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.done:
		return false
	default:
	}
	if len(c.streams) >= maxStreams || c.streams[s.remote] != nil {
		return false
	}
	c.streams[s.remote] = s
	return true
}

func (c *conn) remove(s *stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.streams[s.remote] == s {
		delete(c.streams, s.remote)
	}
}

// deliver waits until ICE takes the packet, which it copies. false: closed.
func (c *conn) deliver(from netip.AddrPort, data []byte) bool {
	var buf []byte
	select {
	case buf = <-c.free:
	default:
	}
	select {
	case c.recv <- packet{from, append(buf[:0], data...)}:
		return true
	case <-c.done:
		return false
	}
}

// ReadFromAddrPort returns the next packet; it blocks.
func (c *conn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case p := <-c.recv:
		n := copy(b, p.data)
		select {
		case c.free <- p.data:
		default:
		}
		return n, p.from, nil
	case <-c.done:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

// ReadFrom is for net.PacketConn.
func (c *conn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromAddrPort(b)
	if err != nil {
		return 0, nil, err
	}
	return n, net.TCPAddrFromAddrPort(from), nil
}

// WriteToAddrPort queues b for the connection from to, or drops it. It never
// blocks. What was dropped is counted, not reported, also once c is closed: to ICE these
// are datagrams, and to SCTP an error would be the end of the whole connection.
func (c *conn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	c.mu.RLock()
	s := c.streams[netip.AddrPortFrom(to.Addr().Unmap(), to.Port())]
	c.mu.RUnlock()
	if s == nil {
		c.mux.stats.disconnected.Add(1)
		return len(b), nil
	}
	s.send(b)
	return len(b), nil
}

// WriteTo is for net.PacketConn.
func (c *conn) WriteTo(b []byte, to net.Addr) (int, error) {
	a, ok := to.(*net.TCPAddr)
	if !ok {
		return 0, &net.OpError{Op: "write", Net: "tcp", Addr: to, Err: net.InvalidAddrError("not a TCP address")}
	}
	return c.WriteToAddrPort(b, a.AddrPort())
}

// LocalAddr is a *net.TCPAddr.
func (c *conn) LocalAddr() net.Addr { return c.local }

// Close ends the session's connections here; it waits for nothing.
func (c *conn) Close() error {
	c.once.Do(func() {
		close(c.done)
		c.mux.forget(c)
		c.mu.RLock()
		defer c.mu.RUnlock()
		for _, s := range c.streams {
			s.close()
		}
	})
	return nil
}

// ICE sets deadlines only to be let go of reads, and closes at once after that.

func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
