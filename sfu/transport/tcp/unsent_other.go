//go:build !linux

package tcp

import "net"

// limitUnsent is known to Linux only.
func limitUnsent(net.Conn) {}
