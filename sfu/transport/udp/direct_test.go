//go:build linux

package udp

import (
	"errors"
	"io"
	"net/netip"
	"testing"

	"github.com/pion/ice/v4"
)

// What one ICE transport writes: media waits for Uncork without having been in the
// mux, STUN leaves at once and tells the mux whose address that is.
func TestMediaPassesTheMuxBy(t *testing.T) {
	e := listen(t, "127.0.0.1")
	p := peer(t, "udp4", "127.0.0.1:0")
	c, err := e.Mux().GetConn("ufrag", e.conns[0].LocalAddr())
	if err != nil {
		t.Fatal(err)
	}
	d, ok := c.(*directConn)
	if !ok {
		t.Fatalf("%T goes through the mux", c)
	}
	mux := &watched{muxedConn: d.muxedConn}
	d.muxedConn = mux

	stun, media := append([]byte{0, 1, 0, 0}, make([]byte, 20)...), rtp(1, 100)
	e.Cork()
	for _, b := range [][]byte{media, stun} {
		if n, err := d.WriteToAddrPort(b, addrOf(p)); n != len(b) || err != nil {
			t.Fatalf("wrote %d: %v", n, err)
		}
	}
	expect(t, p, stun)
	if mux.writes != 1 {
		t.Errorf("%d writes through the mux, want that of STUN", mux.writes)
	}
	e.Uncork()
	expect(t, p, media)
	if _, err := d.WriteToAddrPort(media, addrOf(p)); err != nil || mux.writes != 2 {
		t.Errorf("not corked: %v, %d writes through the mux, want 2", err, mux.writes)
	}
	expect(t, p, media)

	// The mux knows the address, and what comes from there arrives.
	if _, err := p.WriteToUDPAddrPort(media, e.LocalAddrs()[0]); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 2048)
	if n, from, err := d.ReadFromAddrPort(buf); err != nil || n != len(media) || from != addrOf(p) {
		t.Errorf("read %d from %s: %v", n, from, err)
	}
	_ = d.Close()
	if _, _, err := d.ReadFromAddrPort(buf); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("read after Close: %v", err)
	}
}

// watched counts what goes through the mux.
type watched struct {
	muxedConn
	writes int
}

func (w *watched) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	w.writes++
	return w.muxedConn.WriteToAddrPort(b, to)
}

var _ ice.AddrPortReaderWriter = (*directConn)(nil)
