// Package relay is a TURN server (RFC 8656) that leads nowhere but here. For
// networks in which only TCP, or only TLS, gets out.
//
// A usual TURN server opens a socket for each client and sends from it where the
// client says, so that it is a way into the network that it stands in. Ours opens
// none: what TURN calls a relayed address is a queue in this process, and what it
// sends ends in our own media, or nowhere.
//
//	client ─TCP, TLS, UDP─▶ Server (pion/turn) ─▶ Exchange ─▶ ICE, as from one more socket
//
// In file order: exchange.go (the way to the media), server.go (the protocol, with
// its limits), credentials.go, conn.go (clients over TCP).
package relay

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// packetBytes is more than an Ethernet frame carries.
	packetBytes = 1600
	// fromClients packets wait for ICE, all clients together; toClient for a client
	// that takes them slowly: a quarter of a second at 8 Mbit/s.
	fromClients = 512
	toClient    = 256
	// Ports of relayed addresses. Nobody listens there; they number the allocations.
	firstPort, lastPort = 1024, 65535
)

// dummy is where the media's side of the exchange is: an address that stands for
// none (RFC 7600), since ICE wants one. It is never told to clients.
var dummy = netip.MustParseAddrPort("192.0.0.8:9")

// Stats counts, by reason, what the relay refused and dropped.
type Stats struct {
	Allocations  uint64 // made
	FromClients  uint64 // packets to the media
	ToClients    uint64 // packets from the media
	Unreachable  uint64 // packets dropped: not to an address of our media
	QueueFull    uint64 // packets dropped: the client takes them too slowly
	MediaFull    uint64 // packets dropped: ICE takes them too slowly
	TooLong      uint64 // packets dropped
	Gone         uint64 // packets dropped: the allocation has ended
	NotPermitted uint64 // permissions and channels refused: not our media
	Quota        uint64 // allocations refused: too many of one participant, or of all
	NoCredential uint64 // requests refused: expired or forged
	TooMany      uint64 // connections over TCP refused
	NeverUsed    uint64 // connections over TCP closed: no allocation was made
	Stalled      uint64 // connections over TCP closed: the client read nothing for long
}

type counters struct {
	allocations, fromClients, toClients, unreachable, queueFull, mediaFull, tooLong, gone atomic.Uint64
	notPermitted, quota, noCredential, tooMany, neverUsed, stalled                        atomic.Uint64
}

// Exchange carries packets between allocations and the media. To ICE it is one more
// UDP socket, see MediaConn.
type Exchange struct {
	// Set at creation.
	toMedia chan *packet
	done    chan struct{}
	free    sync.Pool // *packet

	media atomic.Pointer[[]netip.AddrPort] // what can be reached, see reach
	stats counters

	once sync.Once // of Close

	// Guarded by mu.
	mu          sync.RWMutex
	allocations map[uint16]*allocation // by port
	users       map[string]int         // allocations of each
	next        uint16
	closed      bool
}

// packet is on its way. peer says which of the media's addresses it is to or from,
// port whose it is.
type packet struct {
	peer int
	port uint16
	n    int
	data [packetBytes]byte
}

// NewExchange makes one on which nothing can be reached yet.
func NewExchange() *Exchange {
	x := &Exchange{
		toMedia: make(chan *packet, fromClients), done: make(chan struct{}),
		allocations: map[uint16]*allocation{}, users: map[string]int{}, next: firstPort,
	}
	x.free.New = func() any { return new(packet) }
	x.media.Store(&[]netip.AddrPort{})
	return x
}

// reach says which addresses are those of the media, as clients know them.
func (x *Exchange) reach(media []netip.AddrPort) {
	own := make([]netip.AddrPort, 0, len(media))
	for _, a := range media {
		own = append(own, netip.AddrPortFrom(a.Addr().Unmap(), a.Port()))
	}
	x.media.Store(&own)
}

// errFull is answered with 508, Insufficient Capacity.
var errFull = errors.New("no more allocations")

// allocate makes the relayed address of a client.
func (x *Exchange) allocate(user string, ip netip.Addr) (*allocation, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil, net.ErrClosed
	}
	if !x.room(user) {
		x.stats.quota.Add(1)
		return nil, errFull
	}
	for x.allocations[x.next] != nil {
		x.advance()
	}
	a := &allocation{
		x: x, user: user, addr: netip.AddrPortFrom(ip, x.next),
		queue: make(chan *packet, toClient), done: make(chan struct{}),
	}
	x.allocations[x.next] = a
	x.users[user]++
	x.advance()
	x.stats.allocations.Add(1)
	return a, nil
}

func (x *Exchange) advance() {
	if x.next == lastPort {
		x.next = firstPort
		return
	}
	x.next++
}

// mayAllocate tells whether allocate would find room.
func (x *Exchange) mayAllocate(user string) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.room(user)
}

// room requires mu.
func (x *Exchange) room(user string) bool {
	return len(x.allocations) < maxAllocations && x.users[user] < maxAllocationsOf
}

func (x *Exchange) release(a *allocation) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.allocations[a.addr.Port()] != a {
		return
	}
	delete(x.allocations, a.addr.Port())
	if x.users[a.user]--; x.users[a.user] == 0 {
		delete(x.users, a.user)
	}
}

// take copies a packet; nil: it is too long.
func (x *Exchange) take(b []byte) *packet {
	if len(b) > packetBytes {
		x.stats.tooLong.Add(1)
		return nil
	}
	p := x.free.Get().(*packet)
	p.n = copy(p.data[:], b)
	return p
}

// Stats returns the counters.
func (x *Exchange) Stats() Stats {
	s := &x.stats
	return Stats{
		Allocations: s.allocations.Load(), FromClients: s.fromClients.Load(), ToClients: s.toClients.Load(),
		Unreachable: s.unreachable.Load(), QueueFull: s.queueFull.Load(), MediaFull: s.mediaFull.Load(),
		TooLong: s.tooLong.Load(), Gone: s.gone.Load(), NotPermitted: s.notPermitted.Load(), Quota: s.quota.Load(),
		NoCredential: s.noCredential.Load(), TooMany: s.tooMany.Load(), NeverUsed: s.neverUsed.Load(), Stalled: s.stalled.Load(),
	}
}

// Close ends all allocations and the media's side.
func (x *Exchange) Close() error {
	x.once.Do(func() {
		x.mu.Lock()
		x.closed = true
		var all []*allocation
		for _, a := range x.allocations {
			all = append(all, a)
		}
		x.mu.Unlock()
		for _, a := range all {
			_ = a.Close() // says nothing
		}
		close(x.done)
	})
	return nil
}

// allocation is the relayed address of a client, as pion/turn sees it: a
// net.PacketConn.
type allocation struct {
	// Set at creation.
	x     *Exchange
	user  string
	addr  netip.AddrPort
	queue chan *packet
	done  chan struct{}
	once  sync.Once
}

// WriteTo takes a packet of the client to peer. Only our media is there.
func (a *allocation) WriteTo(b []byte, peer net.Addr) (int, error) {
	udp, ok := peer.(*net.UDPAddr)
	if !ok {
		return 0, net.InvalidAddrError("not a UDP address")
	}
	to := udp.AddrPort() // a mapped address stays one, and none of ours is
	for i, own := range *a.x.media.Load() {
		if own != to {
			continue
		}
		p := a.x.take(b)
		if p == nil {
			return len(b), nil
		}
		p.peer, p.port = i, a.addr.Port()
		select {
		case a.x.toMedia <- p:
		default:
			a.x.free.Put(p)
			a.x.stats.mediaFull.Add(1)
		}
		return len(b), nil
	}
	a.x.stats.unreachable.Add(1)
	return len(b), nil
}

// ReadFrom returns the next packet for the client; it blocks.
func (a *allocation) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case p := <-a.queue:
		n := copy(b, p.data[:p.n])
		from := (*a.x.media.Load())[p.peer]
		a.x.free.Put(p)
		a.x.stats.toClients.Add(1)
		return n, net.UDPAddrFromAddrPort(from), nil
	case <-a.done:
		return 0, nil, net.ErrClosed
	}
}

// Close implements net.PacketConn.
func (a *allocation) Close() error {
	a.once.Do(func() {
		close(a.done)
		a.x.release(a)
	})
	return nil
}

// LocalAddr implements net.PacketConn.
func (a *allocation) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(a.addr) }

// pion/turn sets none of them.

func (a *allocation) SetDeadline(time.Time) error      { return nil }
func (a *allocation) SetReadDeadline(time.Time) error  { return nil }
func (a *allocation) SetWriteDeadline(time.Time) error { return nil }

// mediaConn is the exchange as the media sees it: a UDP socket, with
// ice.AddrPortReaderWriter. A client appears there under an address that says which
// allocation it is and which of our addresses it wrote to, because the answer must
// come from that one.
type mediaConn struct{ x *Exchange }

// MediaConn is for transport.Config.Relay. Closing it closes the exchange.
func (x *Exchange) MediaConn() net.PacketConn { return mediaConn{x} }

// ReadFromAddrPort returns the next packet of any client; it blocks.
func (c mediaConn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case p := <-c.x.toMedia:
		n, from := copy(b, p.data[:p.n]), inside(p.peer, p.port)
		c.x.free.Put(p)
		c.x.stats.fromClients.Add(1)
		return n, from, nil
	case <-c.x.done:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

// WriteToAddrPort queues a packet for a client or drops it; it never blocks.
func (c mediaConn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	x := c.x
	peer, ok := x.outside(to)
	if !ok {
		x.stats.unreachable.Add(1)
		return len(b), nil
	}
	x.mu.RLock()
	a := x.allocations[to.Port()]
	x.mu.RUnlock()
	if a == nil {
		x.stats.gone.Add(1)
		return len(b), nil
	}
	p := x.take(b)
	if p == nil {
		return len(b), nil
	}
	p.peer, p.port = peer, to.Port()
	select {
	case a.queue <- p:
	default:
		x.free.Put(p)
		x.stats.queueFull.Add(1)
	}
	return len(b), nil
}

// inside is the address of a client as the media sees it: of 240.0.0.0/4, where
// nobody is (RFC 1112, section 4).
func inside(peer int, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{240, 0, byte(peer >> 8), byte(peer)}), port)
}

// outside reads inside's address back: which of the media's addresses was meant.
func (x *Exchange) outside(a netip.AddrPort) (peer int, ok bool) {
	if !a.Addr().Unmap().Is4() {
		return 0, false
	}
	b := a.Addr().Unmap().As4()
	peer = int(b[2])<<8 | int(b[3])
	return peer, b[0] == 240 && b[1] == 0 && peer < len(*x.media.Load())
}

// ReadFrom implements net.PacketConn.
func (c mediaConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromAddrPort(b)
	if err != nil {
		return 0, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// WriteTo implements net.PacketConn.
func (c mediaConn) WriteTo(b []byte, to net.Addr) (int, error) {
	udp, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, net.InvalidAddrError("not a UDP address")
	}
	return c.WriteToAddrPort(b, udp.AddrPort())
}

// LocalAddr is a *net.UDPAddr.
func (c mediaConn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(dummy) }

// Close ends the exchange.
func (c mediaConn) Close() error { return c.x.Close() }

// The mux sets deadlines only to abort a blocked write, and ours never block.

func (c mediaConn) SetDeadline(time.Time) error      { return nil }
func (c mediaConn) SetReadDeadline(time.Time) error  { return nil }
func (c mediaConn) SetWriteDeadline(time.Time) error { return nil }
