// Package tcp carries media where UDP does not pass: passive ICE candidates
// (RFC 6544), whose packets are framed by their length (RFC 4571).
//
// The rule is that nobody waits for a peer who reads slowly. A packet goes into
// the bounded queue of its connection or is dropped and counted, so that the
// worker, which serves everybody, never stands still; a goroutine of the
// connection's own hands the queue to the kernel. Pion's mux has no such bound
// that can be counted, and keeps connections for names that nobody ever gave out.
//
// In file order: mux.go (which session a connection belongs to), conn.go (all
// connections of one session and address, which is what ICE sees), stream.go (one
// connection: frames and queue).
package tcp

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v4"
)

// Limits. A client opens one connection from each of its networks to each of our
// addresses, and again at an ICE restart.
const (
	maxConnections = 8192 // of all sessions together
	maxStreams     = 16   // of one session on one address
	// maxUndeclaredFrom connections of one source may not have said yet whose they are:
	// or one machine, which knows no session, would take the place of all.
	maxUndeclaredFrom = 256
	// firstFrame is how long a connection may take to say whose it is.
	firstFrame = 10 * time.Second
)

// Stats counts, by reason, what was refused and dropped.
type Stats struct {
	Accepted      uint64 // connections that belong to a session
	Received      uint64 // packets
	Sent          uint64 // packets handed to the kernel
	QueueFull     uint64 // packets dropped: the peer reads too slowly
	TooLong       uint64 // packets dropped: longer than a frame of ours may be
	Disconnected  uint64 // packets to a connection that is gone
	Stalled       uint64 // connections closed: the peer read nothing for long
	UnknownPeer   uint64 // connections closed: their first frame names no session
	Malformed     uint64 // connections closed: no STUN request first, or a broken frame
	TooMany       uint64 // connections closed: over the limit
	NeverDeclared uint64 // connections closed: nothing came
}

type counters struct {
	accepted, received, sent, queueFull, tooLong, disconnected atomic.Uint64
	stalled, unknownPeer, malformed, tooMany, neverDeclared    atomic.Uint64
}

// Mux hands each connection to the session that its first STUN request names. It
// is an ice.TCPMux and an ice.AllConnsGetter.
type Mux struct {
	addrs []netip.AddrPort // set at creation

	stats   counters
	serving sync.WaitGroup // one per Serve

	// Guarded by mu.
	mu     sync.Mutex
	conns  map[key]*conn
	open   map[net.Conn]struct{} // everything that Serve holds
	from   map[netip.Addr]int    // of them, those that said nothing yet, by source
	closed bool
}

// key is a session on one of our addresses.
type key struct {
	ufrag string
	local netip.AddrPort
}

// NewMux makes a mux for the addresses at which clients reach us; there may be
// several ports of one address. Whoever listens there passes connections to Serve.
func NewMux(addrs []netip.AddrPort) *Mux {
	return &Mux{addrs: slices.Clone(addrs), conns: map[key]*conn{}, open: map[net.Conn]struct{}{}, from: map[netip.Addr]int{}}
}

// LocalAddrs are the addresses that are offered.
func (m *Mux) LocalAddrs() []netip.AddrPort { return slices.Clone(m.addrs) }

// errNotOurs is what Pion is told for interfaces without a listener.
var errNotOurs = errors.New("no TCP listener on this address")

// GetAllConns returns what a session has on each port of an address. Pion asks for
// every address of the machine.
func (m *Mux) GetAllConns(ufrag string, _ bool, local net.IP) ([]net.PacketConn, error) {
	ip, _ := netip.AddrFromSlice(local)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, io.ErrClosedPipe
	}
	var out []net.PacketConn
	for _, a := range m.addrs {
		if a.Addr() == ip.Unmap() {
			out = append(out, m.conn(key{ufrag, a}))
		}
	}
	if len(out) == 0 {
		return nil, errNotOurs
	}
	return out, nil
}

// GetConnByUfrag returns the first of GetAllConns.
func (m *Mux) GetConnByUfrag(ufrag string, isIPv6 bool, local net.IP) (net.PacketConn, error) {
	all, err := m.GetAllConns(ufrag, isIPv6, local)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// conn finds or makes one. Requires mu.
func (m *Mux) conn(k key) *conn {
	c := m.conns[k]
	if c == nil {
		c = newConn(m, k)
		m.conns[k] = c
	}
	return c
}

// Sessions counts the sessions that may be reached, once for each address.
func (m *Mux) Sessions() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.conns)
}

// forget is called by a conn that closes.
func (m *Mux) forget(c *conn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conns[c.key] == c {
		delete(m.conns, c.key)
	}
}

// RemoveConnByUfrag ends what a session has: it is over, or its ICE restarts under
// another name.
func (m *Mux) RemoveConnByUfrag(ufrag string) {
	m.mu.Lock()
	var gone []*conn
	for _, a := range m.addrs {
		if c := m.conns[key{ufrag, a}]; c != nil {
			gone = append(gone, c)
		}
	}
	m.mu.Unlock()
	for _, c := range gone {
		_ = c.Close() // says nothing
	}
}

// Serve runs a connection that carries framed packets, until it ends; it closes c.
// The listener it came from must be one of the mux's addresses.
func (m *Mux) Serve(c net.Conn) {
	if !m.enter(c) {
		_ = c.Close()
		return
	}
	defer m.leave(c)
	s := newStream(c, &m.stats)
	owner, first, err := m.owner(s)
	m.declared(c)
	if err != nil {
		return // counted
	}
	if !owner.add(s) {
		m.stats.tooMany.Add(1)
		return
	}
	m.stats.accepted.Add(1)
	defer owner.remove(s)
	s.run(owner, first)
}

func (m *Mux) enter(c net.Conn) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	source := SourceOf(c)
	if len(m.open) >= maxConnections || m.from[source] >= maxUndeclaredFrom {
		m.stats.tooMany.Add(1)
		return false
	}
	m.open[c] = struct{}{}
	m.from[source]++
	m.serving.Add(1)
	return true
}

// declared counts a connection no more among those that said nothing yet.
func (m *Mux) declared(c net.Conn) {
	source := SourceOf(c)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.from[source]--; m.from[source] == 0 {
		delete(m.from, source)
	}
}

// SourceOf is who is counted as one: an IPv4 address, or an IPv6 network of 64 bits.
func SourceOf(c net.Conn) netip.Addr {
	a, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	ip := a.AddrPort().Addr().Unmap().WithZone("")
	if ip.Is6() {
		if network, err := ip.Prefix(64); err == nil {
			return network.Addr()
		}
	}
	return ip
}

func (m *Mux) leave(c net.Conn) {
	_ = c.Close() // it may be closed already
	m.mu.Lock()
	delete(m.open, c)
	m.mu.Unlock()
	m.serving.Done()
}

// owner reads the first frame and finds whom it is for. Sessions exist before the
// client is told their names, so an unknown name is nobody's.
func (m *Mux) owner(s *stream) (*conn, []byte, error) {
	if err := s.conn.SetReadDeadline(time.Now().Add(firstFrame)); err != nil {
		return nil, nil, err
	}
	frame, err := s.read()
	if err != nil {
		if errors.Is(err, errFrame) {
			m.stats.malformed.Add(1)
		} else {
			m.stats.neverDeclared.Add(1)
		}
		return nil, nil, err
	}
	ufrag, err := localUfrag(frame)
	if err != nil {
		m.stats.malformed.Add(1)
		return nil, nil, err
	}
	local, err := localAddr(s.conn)
	if err != nil {
		return nil, nil, err
	}
	if err := s.conn.SetReadDeadline(time.Time{}); err != nil {
		return nil, nil, err
	}
	m.mu.Lock()
	owner := m.conns[key{ufrag, local}]
	m.mu.Unlock()
	if owner == nil {
		m.stats.unknownPeer.Add(1)
		return nil, nil, fmt.Errorf("no session %q on %s", ufrag, local)
	}
	return owner, frame, nil
}

// localUfrag reads our half of a binding request's USERNAME (RFC 8445, section 7.2.2).
func localUfrag(packet []byte) (string, error) {
	if !stun.IsMessage(packet) {
		return "", errors.New("no STUN message")
	}
	msg := &stun.Message{Raw: slices.Clone(packet)}
	if err := msg.Decode(); err != nil {
		return "", err
	}
	if msg.Type != stun.BindingRequest {
		return "", fmt.Errorf("%s is no binding request", msg.Type)
	}
	name, err := msg.Get(stun.AttrUsername)
	if err != nil {
		return "", err
	}
	ours, _, _ := strings.Cut(string(name), ":")
	return ours, nil
}

func localAddr(c net.Conn) (netip.AddrPort, error) {
	a, ok := c.LocalAddr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("%v is no TCP address", c.LocalAddr())
	}
	ap := a.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), nil
}

// Stats returns the counters.
func (m *Mux) Stats() Stats {
	s := &m.stats
	return Stats{
		Accepted: s.accepted.Load(), Received: s.received.Load(), Sent: s.sent.Load(), QueueFull: s.queueFull.Load(),
		TooLong: s.tooLong.Load(), Disconnected: s.disconnected.Load(), Stalled: s.stalled.Load(),
		UnknownPeer: s.unknownPeer.Load(), Malformed: s.malformed.Load(), TooMany: s.tooMany.Load(),
		NeverDeclared: s.neverDeclared.Load(),
	}
}

// Close ends all connections and waits for their Serve.
func (m *Mux) Close() error {
	m.mu.Lock()
	m.closed = true
	var conns []*conn
	for _, c := range m.conns {
		conns = append(conns, c)
	}
	for c := range m.open {
		_ = c.Close() // its Serve notices
	}
	m.mu.Unlock()
	for _, c := range conns {
		_ = c.Close() // says nothing
	}
	m.serving.Wait()
	return nil
}
