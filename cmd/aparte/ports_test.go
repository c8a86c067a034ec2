package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"aparte/signaling/front"
)

func addresses(list ...string) (out []netip.Addr) {
	for _, a := range list {
		out = append(out, netip.MustParseAddr(a))
	}
	return out
}

// Where media over TCP and TURN are offered, for the ways in which servers stand.
func TestWhereMediaIsOfferedOverTCP(t *testing.T) {
	port := func(l net.Listener) string {
		_, port, _ := net.SplitHostPort(l.Addr().String())
		return port
	}
	for _, tc := range []struct {
		name      string
		edit      func(*Config)
		cert      bool
		addrs     []netip.Addr
		tcp, urls []string // MAIN and MEDIA stand for the ports
	}{
		{
			"on its own", nil, false, addresses("127.0.0.1"),
			[]string{"127.0.0.1:MAIN"},
			[]string{"turn:127.0.0.1:MAIN?transport=tcp"},
		},
		{
			"of several addresses those that listen covers", nil, false, addresses("127.0.0.1", "::1"),
			[]string{"127.0.0.1:MAIN"},
			[]string{"turn:127.0.0.1:MAIN?transport=tcp"},
		},
		{
			"listening everywhere", func(c *Config) { c.Listen = "[::]:0" }, false, addresses("127.0.0.1", "::1"),
			[]string{"127.0.0.1:MAIN", "[::1]:MAIN"},
			[]string{"turn:127.0.0.1:MAIN?transport=tcp"},
		},
		{
			"with TLS", func(c *Config) { c.PublicURL = "https://meet.example.org" }, true, addresses("127.0.0.1"),
			[]string{"127.0.0.1:MAIN"},
			[]string{"turn:meet.example.org:443?transport=tcp", "turns:meet.example.org:443?transport=tcp"},
		},
		{
			"behind a proxy", func(c *Config) { c.PublicURL = "https://meet.example.org" }, false, addresses("127.0.0.1"),
			[]string{"127.0.0.1:MEDIA"},
			[]string{"turn:meet.example.org:MEDIA?transport=tcp"},
		},
		{
			"where the pages' port is of no use to media", nil, false, addresses("127.0.0.2"),
			[]string{"127.0.0.2:MEDIA"},
			[]string{"turn:127.0.0.1:MAIN?transport=tcp", "turn:127.0.0.1:MEDIA?transport=tcp"},
		},
		{
			"behind a proxy without media's port", func(c *Config) { c.PublicURL, c.Media.TCPPort = "https://meet.example.org", 0 }, false, addresses("127.0.0.1"),
			nil, nil,
		},
		{
			"relay over UDP too, by a name of its own", func(c *Config) { c.TURN.UDPPort, c.TURN.Host = 3478, "turn.example.org" }, false, addresses("127.0.0.1"),
			[]string{"127.0.0.1:MAIN"},
			[]string{"turn:turn.example.org:3478?transport=udp", "turn:turn.example.org:MAIN?transport=tcp"},
		},
		{
			"no relay", func(c *Config) { c.TURN.Enabled = false }, false, addresses("127.0.0.1"),
			[]string{"127.0.0.1:MAIN"},
			nil,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := defaults()
			c.Listen, c.Media.UDPPort = "127.0.0.1:0", 0
			if tc.edit != nil {
				tc.edit(&c)
			}
			var cert *front.Certificate
			if tc.cert {
				cert = &front.Certificate{}
			}
			p, err := openPorts(t.Context(), &c, tc.addrs, cert)
			if err != nil {
				t.Fatal(err)
			}
			defer p.close()
			names := []string{"MAIN", port(p.main)}
			if len(p.media) > 0 {
				names = append(names, "MEDIA", port(p.media[0]))
			}
			actual := func(list []string) (out []string) {
				for _, one := range list {
					out = append(out, strings.NewReplacer(names...).Replace(one))
				}
				return out
			}
			var tcp []string
			for _, a := range p.tcp {
				tcp = append(tcp, a.String())
			}
			if !slices.Equal(tcp, actual(tc.tcp)) {
				t.Errorf("TCP at %v, want %v", tcp, actual(tc.tcp))
			}
			if urls := turnURLs(&c, p); !slices.Equal(urls, actual(tc.urls)) {
				t.Errorf("TURN at %v, want %v", urls, actual(tc.urls))
			}
		})
	}
}

func TestWithoutTLSOneIsSentToIt(t *testing.T) {
	h := toSecure("https://meet.example.org")
	for _, tc := range []struct {
		method, target string
		status         int
		location       string
	}{
		{http.MethodGet, "/join?a=b", http.StatusPermanentRedirect, "https://meet.example.org/join?a=b"},
		{http.MethodGet, "//evil.example/", http.StatusPermanentRedirect, "https://meet.example.org//evil.example/"},
		{http.MethodPost, "/api/v1/session", http.StatusForbidden, ""},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(tc.method, "http://meet.example.org"+tc.target, nil))
		body, _ := io.ReadAll(w.Body)
		if w.Code != tc.status || w.Header().Get("Location") != tc.location {
			t.Errorf("%s %s: got %d %q\n%s", tc.method, tc.target, w.Code, w.Header().Get("Location"), body)
		}
	}
}
