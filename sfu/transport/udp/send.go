//go:build linux

package udp

import (
	"net"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// waitMillis is how long a full send buffer may drain before packets are dropped:
// the buffer's worth at 1 Gbit/s would be 35 ms, but others wait meanwhile.
const waitMillis = 5

// isMedia tells RTP and RTCP from STUN and DTLS by the first byte, RFC 7983.
func isMedia(b []byte) bool { return len(b) > 0 && b[0] >= 128 && b[0] <= 191 }

// WriteToAddrPort sends b, or gathers it when it is media and the endpoint is
// corked. Packets that the kernel refuses are counted, not reported: UDP promises
// nothing, and Pion would only log.
func (c *conn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	if c.gathered(b, to) {
		return len(b), nil
	}
	to = unmap(to)
	if !c.enter() {
		return 0, net.ErrClosed
	}
	defer c.leave()
	c.sendOne(b, to)
	return len(b), nil
}

// WriteTo is for net.PacketConn.
func (c *conn) WriteTo(b []byte, addr net.Addr) (int, error) {
	udp, ok := addr.(*net.UDPAddr)
	if !ok {
		return 0, &net.OpError{Op: "write", Net: "udp", Addr: addr, Err: net.InvalidAddrError("not a UDP address")}
	}
	return c.WriteToAddrPort(b, udp.AddrPort())
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// gathered puts b into the arena. false: it is to be sent at once, because it is not
// media, too long, or nothing is gathered now.
func (c *conn) gathered(b []byte, to netip.AddrPort) bool {
	if !c.corked.Load() || !isMedia(b) {
		return false
	}
	to = unmap(to)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.corked.Load() || len(b) > datagramBytes {
		return false
	}
	if !c.tx.fits(len(b)) {
		c.flush()
	}
	c.tx.add(b, to, !c.plain.Load())
	return true
}

func (c *conn) cork() {
	if c.corked.Load() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tx == nil {
		c.tx = newArena()
	}
	c.corked.Store(true)
}

func (c *conn) uncork() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.corked.Store(false)
	if c.tx != nil {
		c.flush()
	}
}

// flush sends the arena's messages. Requires mu.
func (c *conn) flush() {
	a := c.tx
	defer a.reset()
	if a.n == 0 || !c.enter() {
		return
	}
	defer c.leave()
	for i := range a.n {
		a.fill(i)
	}
	waited := false
	for i := 0; i < a.n; {
		n, errno := c.sendmmsg(a, i)
		if errno == 0 {
			for end := i + n; i < end; i++ {
				c.stats.sent.Add(uint64(a.list[i].count))
				if a.list[i].count > 1 {
					c.doubts = 0
				}
			}
			c.stats.messages.Add(uint64(n))
			continue
		}
		switch m := &a.list[i]; {
		case errno == unix.EINTR:
		case errno == unix.EAGAIN && !waited:
			waited = true // once per flush
			c.waitWritable()
		case errno == unix.EAGAIN || errno == unix.ENOBUFS:
			c.stats.socketFull.Add(uint64(m.count))
			i++
		case m.count > 1 && (errno == unix.EIO || errno == unix.EINVAL):
			c.doubt(errno)
			c.sendApart(a, m)
			i++
		default:
			c.stats.refused.Add(uint64(m.count))
			i++ // sendmmsg stops at a bad message: go on behind it
		}
	}
}

// maxDoubts: so many messages refused in a row are the socket's fault.
const maxDoubts = 16

// doubt notes that UDP_SEGMENT failed. EIO: the device has no checksum offload,
// which will not change. EINVAL: an old kernel, or only this route's MTU is below
// the segment.
func (c *conn) doubt(errno unix.Errno) {
	c.doubts++
	if (errno == unix.EIO || c.doubts >= maxDoubts) && !c.plain.Swap(true) {
		c.stats.noSegment.Add(1)
	}
}

// sendApart sends the packets of a message one by one.
func (c *conn) sendApart(a *arena, m *message) {
	for at := m.at; at < m.end; at += m.segment {
		c.sendOne(a.buf[at:min(at+m.segment, m.end)], m.to)
	}
}

func (c *conn) sendmmsg(a *arena, from int) (int, unix.Errno) {
	c.stats.calls.Add(1)
	n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(c.fd), uintptr(unsafe.Pointer(&a.msgs[from])),
		uintptr(a.n-from), unix.MSG_DONTWAIT, 0, 0)
	return int(n), errno
}

// sendOne sends one datagram now. Requires enter.
func (c *conn) sendOne(b []byte, to netip.AddrPort) {
	if len(b) == 0 {
		return
	}
	var name unix.RawSockaddrInet6
	size := toRaw(&name, to)
	for try := range 2 {
		_, _, errno := unix.Syscall6(unix.SYS_SENDTO, uintptr(c.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
			unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(&name)), uintptr(size))
		c.stats.calls.Add(1)
		switch {
		case errno == 0:
			c.stats.sent.Add(1)
			c.stats.messages.Add(1)
			return
		case errno == unix.EINTR:
		case errno == unix.EAGAIN && try == 0:
			c.waitWritable()
		case errno == unix.EAGAIN, errno == unix.ENOBUFS:
			c.stats.socketFull.Add(1)
			return
		default:
			c.stats.refused.Add(1)
			return
		}
	}
}

func (c *conn) waitWritable() {
	fds := []unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLOUT}}
	_, _ = unix.Poll(fds, waitMillis) // whatever it says, the next try will tell
}
