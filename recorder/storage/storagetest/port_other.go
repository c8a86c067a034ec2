//go:build !linux

package storagetest

import (
	"net"
	"testing"
)

// Reserved is an address of this machine, as host:port, that was free a moment ago.
func Reserved(t testing.TB) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
