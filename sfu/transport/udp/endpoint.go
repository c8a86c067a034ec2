// Package udp is the lowest step of the packet's way: one port of one worker,
// with a socket for each local address, shared by all ICE transports pinned to
// that worker.
//
// What makes it fast is what it leaves out. Each skb that the kernel carries down
// and up costs some microseconds, whatever it contains, so packets of equal size
// to the same peer go as one UDP_SEGMENT message, and many messages as one
// sendmmsg: [Endpoint.Cork] begins to gather RTP, [Endpoint.Uncork] sends. The
// descriptors are blocking and unknown to Go's poller, which would otherwise be
// woken for every packet the kernel has sent.
//
// STUN and DTLS never wait; Pion writes them from goroutines of its own.
//
// In file order: endpoint.go, conn.go, receive.go, direct.go, arena.go, send.go, sockaddr.go.
package udp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"
)

// Config says where to listen.
type Config struct {
	// Addrs are the local addresses, one socket each. The unspecified address is
	// refused: replies would leave from an address the peer never checked.
	Addrs []netip.Addr
	// Port is the same on all addresses; 0 lets the system choose one.
	Port uint16
	// LoggerFactory is for Pion's mux; nil is Pion's default.
	LoggerFactory logging.LoggerFactory
}

// Stats counts packets and, by reason, what was dropped.
type Stats struct {
	Received, Sent uint64 // datagrams
	Messages       uint64 // handed to the kernel; Sent/Messages is the gain of UDP_SEGMENT
	Calls          uint64 // system calls that sent
	Unknown        uint64 // datagrams of nobody who is connected
	Truncated      uint64 // received datagrams longer than any of ours may be
	SocketFull     uint64 // the send buffer stayed full
	Refused        uint64 // the kernel would not send it: no route, filtered, too long
	TooLong        uint64 // longer than the arena takes
	NoSegmentation uint64 // sockets that fell back to single datagrams
}

type counters struct {
	received, sent, messages, calls, truncated       atomic.Uint64
	unknown, socketFull, refused, tooLong, noSegment atomic.Uint64
}

// Endpoint is one port. Cork and Uncork belong to the worker; the rest may be
// called from anywhere.
type Endpoint struct {
	conns     []*conn          // set at creation
	over      []net.PacketConn // set at creation; instead of conns, see Over
	mux       ice.UDPMux
	closeOnce sync.Once
	stats     counters
}

// portTries: with port 0 the port of the first address must be free on the others.
const portTries = 16

// Listen opens the sockets.
func Listen(cfg Config) (*Endpoint, error) {
	if len(cfg.Addrs) == 0 {
		return nil, errors.New("listen for media: no local address given")
	}
	for _, a := range cfg.Addrs {
		if !a.IsValid() || a.IsUnspecified() {
			return nil, fmt.Errorf("listen for media on %s: give each local address by itself", a)
		}
	}
	var err error
	for range portTries {
		e := &Endpoint{}
		if err = e.open(cfg.Addrs, cfg.Port); err == nil {
			e.start(cfg.LoggerFactory)
			return e, nil
		}
		if cfg.Port != 0 {
			break
		}
	}
	return nil, err
}

// Over makes an endpoint of sockets that somebody else opened and it closes: of a
// virtual network, in tests. Nothing is gathered there.
func Over(conns []net.PacketConn, logs logging.LoggerFactory) *Endpoint {
	e := &Endpoint{over: conns}
	e.start(logs)
	return e
}

func (e *Endpoint) open(addrs []netip.Addr, port uint16) error {
	for _, a := range addrs {
		c, err := openConn(netip.AddrPortFrom(a.Unmap(), port), &e.stats)
		if err != nil {
			for _, c := range e.conns {
				_ = c.Close()
			}
			return fmt.Errorf("listen for media on %s: %w", netip.AddrPortFrom(a, port), err)
		}
		port = c.local.Port()
		e.conns = append(e.conns, c)
	}
	return nil
}

func (e *Endpoint) start(logs logging.LoggerFactory) {
	if logs == nil {
		logs = logging.NewDefaultLoggerFactory()
	}
	muxes := make([]ice.UDPMux, 0, len(e.conns)+len(e.over))
	for _, c := range e.over {
		muxes = append(muxes, ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: c, Logger: logs.NewLogger("ice")}))
	}
	for _, c := range e.conns {
		muxes = append(muxes, direct{conn: c, UDPMuxDefault: ice.NewUDPMuxDefault(ice.UDPMuxParams{
			UDPConn: c, Logger: logs.NewLogger("ice"),
			OnUnhandledPacket: func([]byte, netip.AddrPort) { e.stats.unknown.Add(1) },
		})})
	}
	e.mux = ice.NewMultiUDPMuxDefault(muxes...)
}

// Mux is for webrtc.SettingEngine.SetICEUDPMux.
func (e *Endpoint) Mux() ice.UDPMux { return e.mux }

// LocalAddrs are the addresses with the port.
func (e *Endpoint) LocalAddrs() []netip.AddrPort {
	all := make([]netip.AddrPort, 0, len(e.conns))
	for _, c := range e.conns {
		all = append(all, c.local)
	}
	for _, c := range e.over {
		if a, ok := c.LocalAddr().(*net.UDPAddr); ok {
			all = append(all, a.AddrPort())
		}
	}
	return all
}

// Cork gathers RTP and RTCP until Uncork, or until there is no more room.
func (e *Endpoint) Cork() {
	for _, c := range e.conns {
		c.cork()
	}
}

// Uncork sends what was gathered.
func (e *Endpoint) Uncork() {
	for _, c := range e.conns {
		c.uncork()
	}
}

// Stats returns the counters.
func (e *Endpoint) Stats() Stats {
	s := &e.stats
	return Stats{
		Received: s.received.Load(), Sent: s.sent.Load(), Messages: s.messages.Load(), Calls: s.calls.Load(),
		Unknown: s.unknown.Load(), Truncated: s.truncated.Load(), SocketFull: s.socketFull.Load(), Refused: s.refused.Load(),
		TooLong: s.tooLong.Load(), NoSegmentation: s.noSegment.Load(),
	}
}

// Close closes mux and sockets and waits for their readers. ICE transports that
// still use the mux fail.
func (e *Endpoint) Close() error {
	var err error
	e.closeOnce.Do(func() {
		err = e.mux.Close()
		for _, c := range e.conns {
			err = errors.Join(err, c.Close())
		}
		for _, c := range e.over {
			_ = c.Close() // the mux may have done so
		}
	})
	return err
}
