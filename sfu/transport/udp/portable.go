//go:build !linux

package udp

import (
	"net"
	"net/netip"
)

// conn elsewhere than on Linux is a plain socket: packets leave one by one. It is
// for development; nobody should serve a meeting with it.
type conn struct {
	*net.UDPConn
	local netip.AddrPort
	stats *counters
}

func openConn(local netip.AddrPort, stats *counters) (*conn, error) {
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(local))
	if err != nil {
		return nil, err
	}
	bound := c.LocalAddr().(*net.UDPAddr).AddrPort()
	return &conn{UDPConn: c, local: netip.AddrPortFrom(local.Addr(), bound.Port()), stats: stats}, nil
}

func (c *conn) cork()   {}
func (c *conn) uncork() {}

func (c *conn) gathered([]byte, netip.AddrPort) bool { return false }

// Close may be called again: the mux closes its socket too.
func (c *conn) Close() error {
	_ = c.UDPConn.Close()
	return nil
}

func (c *conn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, from, err := c.ReadFromUDPAddrPort(b)
	if err == nil {
		c.stats.received.Add(1)
	}
	return n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), err
}

func (c *conn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	n, err := c.WriteToUDPAddrPort(b, to)
	if err != nil {
		c.stats.refused.Add(1)
		return n, err
	}
	c.stats.sent.Add(1)
	c.stats.messages.Add(1)
	c.stats.calls.Add(1)
	return n, nil
}
