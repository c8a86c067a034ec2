package transport

import (
	"errors"
	"io"
	"net"
	"net/netip"

	"github.com/pion/ice/v4"
)

// lossyMux is a mux on whose connections what is written after they were closed is lost,
// as it is on any path. An ICE restart closes those of the credentials before, and whoever
// writes at that moment has already chosen one. Told that it is closed, SCTP takes that for
// the end of everything: DTLS ends, and the whole connection with it, in the middle of a
// resume.
type lossyMux struct{ ice.UDPMux }

// GetConn implements ice.UDPMux.
func (m lossyMux) GetConn(ufrag string, addr net.Addr) (net.PacketConn, error) {
	c, err := m.UDPMux.GetConn(ufrag, addr)
	if with, ok := c.(addrPortConn); ok {
		return lossyConn{with}, err
	}
	return c, err
}

// addrPortConn is what Pion's muxes give.
type addrPortConn interface {
	net.PacketConn
	ice.AddrPortReaderWriter
}

type lossyConn struct{ addrPortConn }

// WriteTo implements net.PacketConn.
func (c lossyConn) WriteTo(b []byte, to net.Addr) (int, error) {
	n, err := c.addrPortConn.WriteTo(b, to)
	return lost(b, n, err)
}

// WriteToAddrPort implements ice.AddrPortReaderWriter.
func (c lossyConn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	n, err := c.addrPortConn.WriteToAddrPort(b, to)
	return lost(b, n, err)
}

func lost(b []byte, n int, err error) (int, error) {
	if errors.Is(err, io.ErrClosedPipe) {
		return len(b), nil
	}
	return n, err
}
