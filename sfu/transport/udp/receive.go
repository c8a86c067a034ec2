//go:build linux

package udp

import (
	"net"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// receiveBatch datagrams are taken by one call if they are there.
	receiveBatch = 32
	// datagramBytes is more than an Ethernet frame carries.
	datagramBytes = 2048
)

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
	_   [4]byte
}

// receiver holds what one recvmmsg brought.
type receiver struct {
	buf   []byte
	msgs  [receiveBatch]mmsghdr
	iovs  [receiveBatch]unix.Iovec
	names [receiveBatch]unix.RawSockaddrInet6
	count int
	next  int
}

func newReceiver() *receiver {
	r := &receiver{buf: make([]byte, receiveBatch*datagramBytes)}
	for i := range r.msgs {
		r.iovs[i].Base = &r.buf[i*datagramBytes]
		r.iovs[i].SetLen(datagramBytes)
		h := &r.msgs[i].hdr
		h.Iov = &r.iovs[i]
		h.SetIovlen(1)
		h.Name = (*byte)(unsafe.Pointer(&r.names[i]))
	}
	return r
}

// ReadFromAddrPort returns the next datagram; it blocks. The mux calls it from one
// goroutine.
func (c *conn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	c.readMu.Lock()
	defer c.readMu.Unlock()
	r := c.rx
	for {
		for r.next < r.count {
			i := r.next
			r.next++
			if r.msgs[i].hdr.Flags&unix.MSG_TRUNC != 0 {
				c.stats.truncated.Add(1)
				continue
			}
			from := fromRaw(&r.names[i])
			if !from.IsValid() {
				continue
			}
			at := i * datagramBytes
			return copy(b, r.buf[at:at+int(r.msgs[i].n)]), from, nil
		}
		if err := c.receive(); err != nil {
			return 0, netip.AddrPort{}, err
		}
	}
}

// receive waits for datagrams and takes all that are there.
func (c *conn) receive() error {
	r := c.rx
	r.count, r.next = 0, 0
	for i := range r.msgs {
		r.msgs[i].hdr.Namelen = unix.SizeofSockaddrInet6
	}
	if !c.enter() {
		return net.ErrClosed
	}
	defer c.leave()
	for {
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(c.fd), uintptr(unsafe.Pointer(&r.msgs[0])),
			receiveBatch, unix.MSG_WAITFORONE, 0, 0)
		switch {
		case c.closed.Load():
			return net.ErrClosed
		case errno == 0:
			r.count = int(n)
			c.stats.received.Add(uint64(n))
			return nil
		case errno == unix.EINTR, errno == unix.EAGAIN, errno == unix.ECONNREFUSED:
		default:
			return &net.OpError{Op: "read", Net: "udp", Addr: c.LocalAddr(), Err: errno}
		}
	}
}

// ReadFrom is for net.PacketConn; the mux does not use it.
func (c *conn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromAddrPort(b)
	if err != nil {
		return 0, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}
