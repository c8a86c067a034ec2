package relay

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"
)

// Limits. A browser allocates once for each address of ours, network of its own and
// connection, and anew while ICE restarts: some twenty in the worst case.
const (
	maxAllocations   = 4096
	maxAllocationsOf = 48
	maxConnections   = 4096
	// maxUselessFrom connections of one source may be without an allocation, for which
	// nobody has shown a credential yet: or one machine would take the place of all. An
	// office behind one address allocates within a moment.
	maxUselessFrom = 256
)

const realm = "aparte"

// Config is what a Server stands on.
type Config struct {
	// Exchange leads to the media. Required; closed by its owner, after the Server.
	Exchange *Exchange
	// Media are all addresses of the media as clients know them: nothing else can be
	// reached. Required.
	Media []netip.AddrPort
	// UDP are sockets to listen on besides what comes by Serve; the Server closes them.
	UDP []net.PacketConn
	// Now is the time of credentials. Required.
	Now func() time.Time
	// LoggerFactory is for pion/turn. Required.
	LoggerFactory logging.LoggerFactory
}

// Server speaks TURN.
type Server struct {
	// Set at creation.
	cfg      Config
	exchange *Exchange
	secret   []byte // of this process: who comes back gets new credentials anyway
	turn     *turn.Server
	listener *listener
	serving  sync.WaitGroup // one per Serve

	// Guarded by mu.
	mu      sync.Mutex
	conns   map[string]*conn   // by client and server address
	useless map[netip.Addr]int // connections without an allocation, by source
	closed  bool
}

// New begins to serve.
func New(cfg Config) (*Server, error) {
	s := &Server{
		cfg: cfg, exchange: cfg.Exchange, secret: make([]byte, 32), conns: map[string]*conn{}, useless: map[netip.Addr]int{},
		listener: &listener{conns: make(chan net.Conn), done: make(chan struct{})},
	}
	if _, err := rand.Read(s.secret); err != nil {
		return nil, err
	}
	cfg.Exchange.reach(cfg.Media)
	settings := turn.ServerConfig{
		Realm:         realm,
		AuthHandler:   s.authenticate,
		QuotaHandler:  s.quota,
		LoggerFactory: cfg.LoggerFactory,
		InboundMTU:    packetBytes,
		EventHandler: turn.EventHandler{
			OnAuth:              s.onAuth,
			OnAllocationCreated: s.onAllocationCreated,
			OnAllocationDeleted: s.onAllocationDeleted,
		},
		ListenerConfigs: []turn.ListenerConfig{{
			Listener: s.listener, RelayAddressGenerator: addresses{s}, PermissionHandler: s.permit,
		}},
	}
	for _, c := range cfg.UDP {
		settings.PacketConnConfigs = append(settings.PacketConnConfigs, turn.PacketConnConfig{
			PacketConn: c, RelayAddressGenerator: addresses{s}, PermissionHandler: s.permit,
		})
	}
	var err error
	s.turn, err = turn.NewServer(settings)
	if err != nil {
		return nil, fmt.Errorf("TURN server: %w", err)
	}
	return s, nil
}

// permit answers CreatePermission, ChannelBind and Connect. Permissions are for
// addresses without port (RFC 8656, section 9); to other ports nothing is carried
// anyway. IPv4 in the clothes of IPv6 is none of ours.
func (s *Server) permit(_ net.Addr, peer net.IP) bool {
	if ip, ok := netip.AddrFromSlice(peer); ok {
		for _, a := range *s.exchange.media.Load() {
			if a.Addr() == ip {
				return true
			}
		}
	}
	s.exchange.stats.notPermitted.Add(1)
	return false
}

// quota answers Allocate with 486 before anything is made.
func (s *Server) quota(user, _ string, _ net.Addr) bool {
	if s.exchange.mayAllocate(user) {
		return true
	}
	s.exchange.stats.quota.Add(1)
	return false
}

func (s *Server) onAuth(_, _ net.Addr, _, _, _, _ string, verdict bool) {
	if !verdict {
		s.exchange.stats.noCredential.Add(1)
	}
}

// addresses gives allocations their relayed addresses.
type addresses struct{ s *Server }

// Validate implements turn.RelayAddressGenerator.
func (addresses) Validate() error { return nil }

// AllocatePacketConn implements turn.RelayAddressGenerator: a queue. Its address is
// one of ours, because clients expect one of the server's.
func (g addresses) AllocatePacketConn(c turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	if c.UserID == "" || c.RequestedPort != 0 {
		return nil, nil, errNoPorts
	}
	for _, m := range *g.s.exchange.media.Load() {
		if m.Addr().Is4() != (c.Network == "udp4") {
			continue
		}
		a, err := g.s.exchange.allocate(c.UserID, m.Addr())
		if err != nil {
			return nil, nil, err
		}
		return a, a.LocalAddr(), nil
	}
	return nil, nil, fmt.Errorf("no media over %s", c.Network)
}

var (
	errNoPorts = errors.New("ports are not for choosing")
	errNoTCP   = errors.New("only UDP is relayed")
)

// AllocateListener implements turn.RelayAddressGenerator: there are no allocations
// for TCP (RFC 6062).
func (addresses) AllocateListener(turn.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errNoTCP
}

// AllocateConn implements turn.RelayAddressGenerator.
func (addresses) AllocateConn(turn.AllocateConnConfig) (net.Conn, error) { return nil, errNoTCP }

// Close ends all connections and allocations.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for _, c := range s.conns {
		_ = c.Close() // its Serve notices
	}
	s.mu.Unlock()
	err := s.turn.Close()
	s.serving.Wait()
	return err
}
