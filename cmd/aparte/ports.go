package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"aparte/signaling/front"
)

// ports are the TCP ports that clients reach: the main one, which carries HTTP,
// media and TURN, and one for media alone where the main one is behind a proxy, which
// passes on nothing but HTTP.
type ports struct {
	main    net.Listener
	media   []net.Listener     // one for each media address; none: main carries media
	tcp     []netip.AddrPort   // where media over TCP is offered
	cert    *front.Certificate // nil: TLS does not end here
	origins []string           // see origins
}

// openPorts opens the TCP listeners. On an error none is left open.
func openPorts(ctx context.Context, c *Config, addrs []netip.Addr, cert *front.Certificate) (_ *ports, err error) {
	p := &ports{cert: cert}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if p.main, err = listen(ctx, "listen", c.Listen); err != nil {
		return nil, err
	}
	p.origins = origins(c, p.main.Addr(), cert != nil)
	if p.direct() {
		p.tcp = reachedThrough(p.main.Addr(), addrs)
	}
	port := c.Media.TCPPort
	if port == 0 || (port < 0 && len(p.tcp) > 0) {
		return p, nil
	}
	if port < 0 {
		port = c.Media.UDPPort
	}
	for _, a := range addrs {
		l, err := listen(ctx, "media.addresses, media.tcp_port", net.JoinHostPort(a.String(), fmt.Sprint(port)))
		if err != nil {
			return nil, err
		}
		p.media = append(p.media, l)
		bound := l.Addr().(*net.TCPAddr).AddrPort()
		p.tcp = append(p.tcp, netip.AddrPortFrom(a, bound.Port()))
		port = int(bound.Port()) // the same on all, if any free one was asked for
	}
	return p, nil
}

// direct tells whether clients reach the main port itself. Where they use https and
// TLS does not end here, something else is between.
func (p *ports) direct() bool {
	return p.cert != nil || !strings.HasPrefix(strings.ToLower(p.origins[0]), "https://")
}

// close closes what was opened.
func (p *ports) close() {
	if p.main != nil {
		_ = p.main.Close()
	}
	for _, l := range p.media {
		_ = l.Close()
	}
}

// reachedThrough lists which of the media's addresses a listener is on, with its port.
func reachedThrough(listener net.Addr, addrs []netip.Addr) []netip.AddrPort {
	tcp, ok := listener.(*net.TCPAddr)
	if !ok {
		return nil
	}
	at := tcp.AddrPort()
	ip := at.Addr().Unmap()
	var out []netip.AddrPort
	for _, a := range addrs {
		// [::] takes IPv4 as well.
		if a == ip || (ip.IsUnspecified() && (ip.Is6() || a.Is4())) {
			out = append(out, netip.AddrPortFrom(a, at.Port()))
		}
	}
	return out
}

// toSecure answers who came without TLS to a port that has it.
func toSecure(origin string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "this port speaks https only", http.StatusForbidden)
			return
		}
		http.Redirect(w, r, origin+r.URL.RequestURI(), http.StatusPermanentRedirect)
	})
}

// loadCertificate reads the certificate, if one is named.
func loadCertificate(c *Config, s *server) (*front.Certificate, error) {
	if c.TLS.CertFile == "" {
		return nil, nil
	}
	cert, err := front.LoadCertificate(c.TLS.CertFile, c.TLS.KeyFile, time.Now, s.log)
	if err != nil {
		return nil, usageError{fmt.Errorf("tls.cert_file: %w", err)}
	}
	return cert, nil
}
