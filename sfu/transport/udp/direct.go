package udp

import (
	"net"
	"net/netip"

	"github.com/pion/ice/v4"
)

// direct lets what is gathered pass Pion's mux by. On its way to us the mux counts
// each packet in and out in a word that all peers share, so that a write which blocks
// can be aborted; what goes into the arena does not block, and that count was a
// twentieth of what a forwarded packet costs. All else goes through the mux, which
// learns the peers' addresses from the STUN that we answer.
type direct struct {
	*ice.UDPMuxDefault
	conn *conn // set at creation
}

// GetConn is called once for each ICE transport.
func (d direct) GetConn(ufrag string, addr net.Addr) (net.PacketConn, error) {
	c, err := d.UDPMuxDefault.GetConn(ufrag, addr)
	if err != nil {
		return nil, err
	}
	muxed, ok := c.(muxedConn)
	if !ok {
		return c, nil
	}
	return &directConn{muxedConn: muxed, conn: d.conn}, nil
}

// muxedConn is what Pion's mux gives for one ICE transport.
type muxedConn interface {
	net.PacketConn
	ice.AddrPortReaderWriter
}

type directConn struct {
	muxedConn
	conn *conn // set at creation
}

// WriteToAddrPort gathers media while the endpoint is corked.
func (c *directConn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	if c.conn.gathered(b, to) {
		return len(b), nil
	}
	return c.muxedConn.WriteToAddrPort(b, to)
}
