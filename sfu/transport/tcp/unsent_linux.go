package tcp

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// LimitUnsent sets TCP_NOTSENT_LOWAT on the socket below c, if there is one. Without
// it a slow peer's queue would grow to megabytes in the kernel before ours fills:
// seconds of delay.
func LimitUnsent(c net.Conn) {
	for {
		wrapped, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		c = wrapped.NetConn()
	}
	raw, ok := c.(syscall.Conn)
	if !ok {
		return
	}
	control, err := raw.SyscallConn()
	if err != nil {
		return
	}
	// An error leaves a longer queue: no reason to refuse the peer.
	_ = control.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsentBytes)
	})
}
