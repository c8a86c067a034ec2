package storagetest

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// Reserved is an address of this machine, as host:port, that the kernel gives to nobody
// else until the test ends, also while the store is not there: a socket is bound to it
// that never listens, beside which one who asks for this port may listen (SO_REUSEADDR,
// socket(7)). Whoever connects meanwhile is refused.
func Reserved(t testing.TB) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	local := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(fd, local); err != nil {
		t.Fatal(err)
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", bound.(*unix.SockaddrInet4).Port)
}
