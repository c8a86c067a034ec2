//go:build linux

package udp

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// bufferBytes is asked for as send and receive buffer: 4 MiB is 35 ms at 1 Gbit/s.
// The kernel gives what net.core.rmem_max and wmem_max allow.
const bufferBytes = 4 << 20

// conn is one socket: a net.PacketConn with ice.AddrPortReaderWriter.
type conn struct {
	fd    int            // set at creation
	local netip.AddrPort // set at creation
	stats *counters      // set at creation

	closed    atomic.Bool
	closeOnce sync.Once
	// using is read-locked while the descriptor is in use; closing locks it.
	using sync.RWMutex

	readMu sync.Mutex // guards rx
	rx     *receiver

	corked atomic.Bool // changed under mu
	mu     sync.Mutex  // guards tx
	tx     *arena      // made on first use
	plain  atomic.Bool // UDP_SEGMENT does not work here
	doubts int         // EINVAL in a row; guarded by mu
}

func openConn(local netip.AddrPort, stats *counters) (*conn, error) {
	family := unix.AF_INET
	if local.Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	if err != nil {
		return nil, err
	}
	c := &conn{fd: fd, stats: stats, rx: newReceiver()}
	if err := c.bind(family, local); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return c, nil
}

func (c *conn) bind(family int, local netip.AddrPort) error {
	if family == unix.AF_INET6 {
		if err := unix.SetsockoptInt(c.fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
			return err
		}
	}
	for _, opt := range [][2]int{{unix.SO_RCVBUFFORCE, unix.SO_RCVBUF}, {unix.SO_SNDBUFFORCE, unix.SO_SNDBUF}} {
		// FORCE needs CAP_NET_ADMIN; the other is capped silently. Smaller buffers
		// only drop more, so errors here stop nobody.
		if unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, opt[0], bufferBytes) != nil {
			_ = unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, opt[1], bufferBytes)
		}
	}
	if err := unix.Bind(c.fd, toSockaddr(local)); err != nil {
		return err
	}
	bound, err := unix.Getsockname(c.fd)
	if err != nil {
		return err
	}
	c.local = netip.AddrPortFrom(local.Addr(), sockaddrPort(bound))
	return nil
}

// LocalAddr is a *net.UDPAddr.
func (c *conn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.local) }

// Close wakes the reader, waits for everyone who uses the descriptor, and closes
// it.
func (c *conn) Close() error {
	var err error
	c.closeOnce.Do(func() {
		c.closed.Store(true)
		// Not connected, so ENOTCONN; it wakes blocked readers all the same, and
		// later ones return at once.
		_ = unix.Shutdown(c.fd, unix.SHUT_RD)
		c.using.Lock()
		defer c.using.Unlock()
		err = unix.Close(c.fd)
	})
	return err
}

// enter keeps the descriptor open until leave; false when it is closed.
func (c *conn) enter() bool {
	c.using.RLock()
	if c.closed.Load() {
		c.using.RUnlock()
		return false
	}
	return true
}

func (c *conn) leave() { c.using.RUnlock() }

// The mux sets deadlines only to abort a blocked write, and ours never block for
// long.

func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
