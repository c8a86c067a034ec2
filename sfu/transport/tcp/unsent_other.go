//go:build !linux

package tcp

import "net"

// LimitUnsent is known to Linux only.
func LimitUnsent(net.Conn) {}
