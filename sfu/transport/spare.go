package transport

import (
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"
)

// spareAfter is how long a connection is up before the ways that it does not use are
// given up; by then a client that came over TCP first has found UDP.
const spareAfter = 10 * time.Second

// spare says since when the connection is up under its present ICE credentials.
type spare struct {
	ufrag string // ours, of the last local description
	since time.Time
	gone  bool // the other ways were given up
}

// described notes the credentials of a local description: an ICE restart opens every
// way again.
func (s *spare) described(text string) {
	_, rest, _ := strings.Cut(text, "a=ice-ufrag:")
	ufrag, _, _ := strings.Cut(rest, "\r\n")
	if ufrag != s.ufrag {
		*s = spare{ufrag: strings.Clone(ufrag)}
	}
}

// GiveUpSpareWays lets go of what a connection over plain UDP keeps for TCP and for the
// relay: for each of them Pion reads with a goroutine and a buffer of 8 KiB, more than a
// tenth of an idle connection. A client that loses UDP later restarts ICE, as it must
// anyway once its connection fails. Call it every second; it never waits.
func (p *Peer) GiveUpSpareWays(now time.Time) {
	if !p.mu.TryLock() {
		return // it is being negotiated
	}
	defer p.mu.Unlock()
	s := &p.spare
	switch {
	case p.closed || s.gone || s.ufrag == "" || p.cfg.FullICE:
		return
	case p.State() != Connected:
		s.since = time.Time{}
		return
	case s.since.IsZero():
		s.since = now
		return
	case now.Sub(s.since) < spareAfter:
		return
	}
	s.gone = true
	pair, err := p.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil || pair.Local.Protocol != webrtc.ICEProtocolUDP {
		return
	}
	if at, err := netip.ParseAddr(pair.Local.Address); err != nil || at == p.engine.relayAddr {
		return
	}
	if p.engine.tcp != nil {
		p.engine.tcp.RemoveConnByUfrag(s.ufrag)
	}
	if p.engine.relay != nil {
		p.engine.relay.giveUp(s.ufrag)
	}
}

// spareMux is a mux whose connection of one session can be given up: Pion's own leaves
// it open for its reader.
type spareMux struct {
	ice.UDPMux

	mu    sync.Mutex
	conns map[string]net.PacketConn // by ufrag
}

func newSpareMux(m ice.UDPMux) *spareMux {
	return &spareMux{UDPMux: m, conns: make(map[string]net.PacketConn)}
}

// GetConn implements ice.UDPMux.
func (m *spareMux) GetConn(ufrag string, addr net.Addr) (net.PacketConn, error) {
	c, err := m.UDPMux.GetConn(ufrag, addr)
	if err == nil {
		m.mu.Lock()
		m.conns[ufrag] = c
		m.mu.Unlock()
	}
	return c, err
}

// RemoveConnByUfrag implements ice.UDPMux.
func (m *spareMux) RemoveConnByUfrag(ufrag string) {
	m.mu.Lock()
	delete(m.conns, ufrag)
	m.mu.Unlock()
	m.UDPMux.RemoveConnByUfrag(ufrag)
}

// giveUp closes a session's connection.
func (m *spareMux) giveUp(ufrag string) {
	m.mu.Lock()
	c := m.conns[ufrag]
	delete(m.conns, ufrag)
	m.mu.Unlock()
	if c != nil {
		_ = c.Close() // says nothing
	}
}
