//go:build linux

package udp

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// arenaBytes holds what 25 subscribers get of a burst of 8 full packets; it
	// stays within the second-level cache.
	arenaBytes = 256 << 10
	// maxMessages per sendmmsg.
	maxMessages = 64
	// maxRun packets per UDP_SEGMENT message: the gain beyond is small, and a
	// burst of 20 kB is what a home router's queue takes.
	maxRun = 16
	// maxMessageBytes: an IPv4 datagram ends at 65,507.
	maxMessageBytes = 65_000
)

// message is a run of packets to one destination: all of length segment but the
// last, which may be shorter.
type message struct {
	to      netip.AddrPort
	at, end int // in arena.buf
	segment int
	count   int
}

// arena gathers packets between cork and uncork.
type arena struct {
	buf  []byte
	used int
	list [maxMessages]message
	n    int

	msgs     [maxMessages]mmsghdr
	iovs     [maxMessages]unix.Iovec
	names    [maxMessages]unix.RawSockaddrInet6
	controls [maxMessages]control
}

// control is the ancillary data of one message: UDP_SEGMENT, udp(7).
type control struct {
	hdr     unix.Cmsghdr
	segment uint16
	_       [6]byte
}

func newArena() *arena {
	a := &arena{buf: make([]byte, arenaBytes)}
	for i := range a.msgs {
		h := &a.msgs[i].hdr
		h.Iov = &a.iovs[i]
		h.SetIovlen(1)
		h.Name = (*byte)(unsafe.Pointer(&a.names[i]))
		c := &a.controls[i]
		c.hdr.Level = unix.IPPROTO_UDP
		c.hdr.Type = unix.UDP_SEGMENT
		c.hdr.SetLen(unix.CmsgLen(2))
	}
	return a
}

// fits tells whether a packet of n bytes has room, in the worst case as a message
// of its own.
func (a *arena) fits(n int) bool { return a.n < maxMessages && a.used+n <= len(a.buf) }

// add copies the packet in; fits must have said yes. segment is false where
// UDP_SEGMENT does not work.
func (a *arena) add(b []byte, to netip.AddrPort, segment bool) {
	copy(a.buf[a.used:], b)
	at := a.used
	a.used += len(b)
	if segment && a.n > 0 {
		m := &a.list[a.n-1]
		whole := m.end-m.at == m.count*m.segment // no shorter one ended the run
		if whole && m.to == to && len(b) <= m.segment && len(b) > 0 && m.count < maxRun && a.used-m.at <= maxMessageBytes {
			m.end = a.used
			m.count++
			return
		}
	}
	a.list[a.n] = message{to: to, at: at, end: a.used, segment: len(b), count: 1}
	a.n++
}

func (a *arena) reset() { a.n, a.used = 0, 0 }

// fill prepares the kernel's view of message i.
func (a *arena) fill(i int) {
	m := &a.list[i]
	h := &a.msgs[i].hdr
	h.Namelen = toRaw(&a.names[i], m.to)
	a.iovs[i].Base = &a.buf[m.at]
	a.iovs[i].SetLen(m.end - m.at)
	h.Control, h.Controllen = nil, 0
	if m.count > 1 {
		a.controls[i].segment = uint16(m.segment)
		h.Control = (*byte)(unsafe.Pointer(&a.controls[i]))
		h.SetControllen(unix.CmsgSpace(2))
	}
}
