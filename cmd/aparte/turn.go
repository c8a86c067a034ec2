package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/sfu/relay"
)

// openRelay begins to serve TURN. The engine carries its exchange already.
func (s *server) openRelay(c *Config, addrs []netip.Addr) error {
	var sockets []net.PacketConn
	for _, a := range addrs {
		if c.TURN.UDPPort == 0 {
			break
		}
		socket, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, uint16(c.TURN.UDPPort))))
		if err != nil {
			for _, one := range sockets {
				_ = one.Close()
			}
			if errors.Is(err, syscall.EADDRINUSE) {
				return usageError{fmt.Errorf("turn.udp_port: UDP port %d of %s is taken by another program: stop it or choose another port", c.TURN.UDPPort, a)}
			}
			return usageError{fmt.Errorf("turn.udp_port: %w", err)}
		}
		sockets = append(sockets, socket)
	}
	var err error
	s.relay, err = relay.New(relay.Config{
		Exchange: s.exchange, Media: s.engine.PublicAddrs(), UDP: sockets, Now: time.Now, LoggerFactory: s.engine.Logs(),
	})
	return err
}

// iceServers tells a participant how to reach the relay.
func (s *server) iceServers(identity string) []*livekit.ICEServer {
	if s.relay == nil || len(s.turnURLs) == 0 {
		return nil
	}
	username, password := s.relay.Credentials(identity)
	return []*livekit.ICEServer{{Urls: s.turnURLs, Username: username, Credential: password}}
}

// turnURLs are those of RFC 7065, in the order in which they are worth trying: TLS
// passes where nothing else does, and is what looks like the rest of the traffic.
func turnURLs(c *Config, p *ports) []string {
	host := turnHost(c, p)
	if !c.TURN.Enabled || host == "" {
		return nil
	}
	var urls []string
	add := func(scheme string, port int, transport string) {
		urls = append(urls, fmt.Sprintf("%s:%s?transport=%s", scheme, net.JoinHostPort(host, strconv.Itoa(port)), transport))
	}
	if c.TURN.UDPPort != 0 {
		add("turn", c.TURN.UDPPort, "udp")
	}
	for _, port := range p.turnPorts(c) {
		add("turn", port, "tcp")
		if p.cert != nil {
			add("turns", port, "tcp")
		}
	}
	return urls
}

// turnHost is what clients type for this server, or nothing if there is no such thing.
func turnHost(c *Config, p *ports) string {
	if c.TURN.Host != "" {
		return strings.Trim(c.TURN.Host, "[]")
	}
	if u, err := url.Parse(c.PublicURL); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	at := p.main.Addr().(*net.TCPAddr).AddrPort().Addr().Unmap()
	if !at.IsUnspecified() {
		return at.String()
	}
	if len(c.Media.ExternalAddresses) > 0 {
		return c.Media.ExternalAddresses[0]
	}
	if len(p.tcp) > 0 {
		return p.tcp[0].Addr().String()
	}
	return ""
}

// turnPorts are the ports of TURN over TCP, as clients see them.
func (p *ports) turnPorts(c *Config) []int {
	var list []int
	if p.direct() {
		list = append(list, p.publicPort(c))
	}
	if len(p.media) > 0 {
		list = append(list, p.media[0].Addr().(*net.TCPAddr).Port)
	}
	return list
}

// publicPort is that of the public address, which a router may pass on to another.
func (p *ports) publicPort(c *Config) int {
	u, err := url.Parse(c.PublicURL)
	if err != nil || c.PublicURL == "" {
		return p.main.Addr().(*net.TCPAddr).Port
	}
	if port, err := strconv.Atoi(u.Port()); err == nil {
		return port
	}
	if strings.EqualFold(u.Scheme, "https") {
		return 443
	}
	return 80
}
