package transport

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/transport/v5/stdnet"
	"github.com/pion/webrtc/v4"

	"aparte/sfu/forward"
	"aparte/sfu/publish"
	"aparte/sfu/transport/tcp"
	"aparte/sfu/transport/udp"
)

// MaxDataMessage is the largest data channel message we take, in bytes:
// clients clamp at 64,000, the protocol asks for at least 65,535.
const MaxDataMessage = 65536

// ICE timings. Clients check every 2.5 s or so: 5 s of silence is two checks
// lost in a row, and 10 s more a path that is gone. RFC 7675 gives consent 30 s;
// the others in a call should not look at a frozen picture that long.
const (
	iceDisconnected = 5 * time.Second
	iceFailed       = 10 * time.Second
	iceKeepAlive    = 2 * time.Second
)

// Config is what an Engine stands on.
type Config struct {
	// Addrs are the local addresses to listen on, one socket each (a socket
	// on 0.0.0.0 lets candidate pairs hop between interfaces). Required.
	Addrs []netip.Addr
	// TCP are the addresses and ports where clients reach us over TCP, each with one
	// of Addrs; whoever listens there passes framed connections to ServeTCP. None:
	// media is over UDP only.
	TCP []netip.AddrPort
	// External are the addresses under which clients behind other routers reach
	// Addrs, with the same ports: of a router that translates.
	External []netip.Addr
	// Relay is what clients of the TURN server come by, as if it were a UDP socket;
	// they are not told its address. May be nil; the Engine closes it.
	Relay net.PacketConn
	// Conns are used instead of Addrs when there are any: sockets of a virtual
	// network, in tests. The Engine closes them.
	Conns []net.PacketConn
	// Port is the UDP port on every address; 0 takes a free one (tests).
	Port uint16
	// ICEDisconnected is how long a connection may be silent before it counts as
	// disconnected; 0 means 5 s.
	ICEDisconnected time.Duration
	// ICEFailed overrides how long it lives after that; 0 means 10 s.
	ICEFailed time.Duration
	// NoAdaptation sends everybody all that they asked for, whatever their path
	// carries.
	NoAdaptation bool
	// Log takes Pion's warnings at debug level. Required.
	Log *slog.Logger
}

// Engine is what all peer connections of a process share: the UDP sockets,
// the forwarding worker and the DTLS certificate.
type Engine struct {
	// Set at creation.
	cfg       Config
	endpoint  *udp.Endpoint
	tcp       *tcp.Mux // nil: media is over UDP only
	mux       ice.UDPMux
	relay     *spareMux // nil: there is none
	worker    *forward.Worker
	relayAddr netip.Addr // of the relay's candidate
	cert      webrtc.Certificate
	net       *stdnet.Net // one for all: each lists the interfaces anew, and keeps the list
	loggers   logging.LoggerFactory

	peers sync.WaitGroup // one per Peer that is not closed yet
	all   peerSet

	counters   *counters     // set at creation
	closeLimit time.Duration // set at creation; of one connection

	buffers   sync.Pool // *[]byte of MaxDataMessage
	oversized atomic.Uint64
}

// NewEngine opens the sockets. Close frees them.
func NewEngine(cfg Config) (*Engine, error) {
	if len(cfg.Addrs)+len(cfg.Conns) == 0 {
		return nil, errors.New("media: no address to listen on")
	}
	if cfg.ICEDisconnected == 0 {
		cfg.ICEDisconnected = iceDisconnected
	}
	if cfg.ICEFailed == 0 {
		cfg.ICEFailed = iceFailed
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make DTLS key: %w", err)
	}
	cert, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return nil, fmt.Errorf("make DTLS certificate: %w", err)
	}
	network, err := stdnet.NewNet()
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	count := &counters{}
	loggers := loggerFactory{cfg.Log, count}
	ep, err := listen(cfg, loggers)
	if err != nil {
		return nil, err
	}
	e := &Engine{
		cfg:        cfg,
		endpoint:   ep,
		worker:     forward.NewWorker(forward.WorkerConfig{Corker: ep}),
		cert:       *cert,
		net:        network,
		loggers:    loggers,
		counters:   count,
		closeLimit: closeLimit,
	}
	if len(cfg.TCP) > 0 {
		e.tcp = tcp.NewMux(cfg.TCP)
	}
	if e.mux = ep.Mux(); cfg.Relay != nil {
		e.relay = newSpareMux(ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: cfg.Relay, Logger: loggers.NewLogger("ice")}))
		e.mux = ice.NewMultiUDPMuxDefault(e.mux, e.relay)
		if a, ok := cfg.Relay.LocalAddr().(*net.UDPAddr); ok {
			e.relayAddr = a.AddrPort().Addr()
		}
	}
	return e, nil
}

func listen(cfg Config, loggers logging.LoggerFactory) (*udp.Endpoint, error) {
	if len(cfg.Conns) > 0 {
		return udp.Over(cfg.Conns, loggers), nil
	}
	return udp.Listen(udp.Config{Addrs: cfg.Addrs, Port: cfg.Port, LoggerFactory: loggers})
}

// LocalAddrs tells where media is received over UDP.
func (e *Engine) LocalAddrs() []netip.AddrPort { return e.endpoint.LocalAddrs() }

// Logs is where Pion's parts may write.
func (e *Engine) Logs() logging.LoggerFactory { return e.loggers }

// PublicAddrs are LocalAddrs and what clients outside take for them.
func (e *Engine) PublicAddrs() []netip.AddrPort {
	all := e.LocalAddrs()
	seen := map[netip.AddrPort]bool{}
	for _, external := range e.cfg.External {
		for _, local := range e.LocalAddrs() {
			at := netip.AddrPortFrom(external, local.Port())
			if external.Is4() == local.Addr().Is4() && !local.Addr().IsLoopback() && !seen[at] {
				seen[at] = true
				all = append(all, at)
			}
		}
	}
	return all
}

// ServeTCP runs a connection that a listener at one of Config.TCP took and that
// begins with a framed STUN message (RFC 4571), until it ends.
func (e *Engine) ServeTCP(c net.Conn) {
	if e.tcp == nil {
		_ = c.Close()
		return
	}
	e.tcp.Serve(c)
}

// TCPStats tells what came and went over TCP.
func (e *Engine) TCPStats() tcp.Stats {
	if e.tcp == nil {
		return tcp.Stats{}
	}
	return e.tcp.Stats()
}

// Stats tells what the sockets did.
func (e *Engine) Stats() udp.Stats { return e.endpoint.Stats() }

// Forwarding tells what the worker did.
func (e *Engine) Forwarding() forward.Stats { return e.worker.Stats() }

// Close waits for the peers (close them first), then closes worker and sockets.
func (e *Engine) Close() error {
	e.peers.Wait()
	e.worker.Close()
	if e.tcp != nil {
		_ = e.tcp.Close() // says nothing
	}
	if e.relay != nil {
		_ = e.relay.Close() // with what it reads from; says nothing
	}
	return e.endpoint.Close()
}

// api builds the settings of one connection. Each has its own MediaEngine that
// is not copied: NewRTPSender must see the extension ids the client chose.
func (e *Engine) api(receiver *publish.Receiver, cfg *PeerConfig) (*webrtc.API, error) {
	media, err := mediaEngine()
	if err != nil {
		return nil, err
	}
	var s webrtc.SettingEngine
	s.LoggerFactory = e.loggers
	s.DisableMediaEngineCopy(true)
	s.SetICEUDPMux(lossyMux{e.mux})
	if e.tcp != nil && cfg.Ways.Has(TCP) {
		s.SetICETCPMux(e.tcp)
		s.SetNetworkTypes([]webrtc.NetworkType{
			webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6,
		})
	}
	s.DisableActiveTCP(true) // a client's candidates must not have us connect anywhere
	s.SetNet(e.net)
	s.SetIncludeLoopbackCandidate(true) // the addresses were chosen in Config
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetLite(!cfg.FullICE)
	s.SetICETimeouts(e.cfg.ICEDisconnected, e.cfg.ICEFailed, min(iceKeepAlive, e.cfg.ICEDisconnected/2))
	// We choose the SRTP profile as DTLS server: GCM costs a fifth of CM's CPU.
	if err := s.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
		return nil, err
	}
	s.SetSRTPProtectionProfiles(
		dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AEAD_AES_256_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	s.SetSCTPMaxMessageSize(MaxDataMessage)
	s.DetachDataChannels() // see message.go
	s.BufferFactory = receiver.Buffer
	return webrtc.NewAPI(
		webrtc.WithMediaEngine(media),
		webrtc.WithInterceptorRegistry(&interceptor.Registry{}),
		webrtc.WithSettingEngine(s),
	), nil
}

// configuration of every connection. RFC 9335 (Cryptex) stays off: nobody
// offers it yet, and it would hide the header extensions from the tap's tests.
func (e *Engine) configuration() webrtc.Configuration {
	return webrtc.Configuration{
		BundlePolicy:              webrtc.BundlePolicyMaxBundle,
		RTCPMuxPolicy:             webrtc.RTCPMuxPolicyRequire,
		Certificates:              []webrtc.Certificate{e.cert},
		RTPHeaderEncryptionPolicy: webrtc.RTPHeaderEncryptionPolicyDisable,
	}
}
