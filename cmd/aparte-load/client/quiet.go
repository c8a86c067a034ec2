package client

import (
	"net"
	"sync/atomic"

	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/stdnet"
)

// quietNet is a network that can fall silent, as one does when a machine loses its
// power: closing a connection properly would tell the server.
type quietNet struct {
	*stdnet.Net
	dead *atomic.Bool
}

// ListenUDP opens a socket for ICE.
func (n quietNet) ListenUDP(network string, local *net.UDPAddr) (transport.UDPConn, error) {
	conn, err := n.Net.ListenUDP(network, local)
	if err != nil {
		return nil, err
	}
	return quietConn{conn, n.dead}, nil
}

type quietConn struct {
	transport.UDPConn
	dead *atomic.Bool
}

// WriteTo is what ICE writes by.
func (c quietConn) WriteTo(b []byte, to net.Addr) (int, error) {
	if c.dead.Load() {
		return len(b), nil
	}
	return c.UDPConn.WriteTo(b, to)
}
